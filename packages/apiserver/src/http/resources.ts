import { ApiError, badRequest, notFound } from '../errors.ts';
import { type ApiObject, isRecord } from '../objects.ts';
import type { Endpoint } from '../registry/kind.ts';
import type { NamedTarget, RestContext, WriteOptions } from '../rest/context.ts';
import { subjectOf } from '../rest/create.ts';
import { decodeObject } from '../rest/decode.ts';
import { bindPod, evictPod } from '../rest/pods.ts';
import { type DeleteOptions, decodeDeleteOptions, type Removal } from '../rest/remove.ts';
import { readScale, writeScale } from '../rest/scale.ts';
import { type Predicate, parseFieldSelector, parseLabelSelector } from '../rest/selectors.ts';
import type { UpdateOptions } from '../rest/update.ts';
import type { IncludeObject } from '../table/index.ts';
import { admitBody, admittedCreate, admittedRemove, admittedUpdate } from '../webhooks/admitted.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { mediaTypeOf, parseBody, readBody } from './body.ts';
import { readChange } from './change.ts';
import type { Exchange } from './exchange.ts';
import { negotiate } from './negotiate.ts';
import type { ResourcePath } from './path.ts';
import { renderList, renderObject, type View } from './render.ts';
import { serveWatch, type WatchDeps } from './watch.ts';

export interface ResourceDeps {
	readonly rest: RestContext;
	readonly webhooks: Webhooks;
	readonly watch: WatchDeps;
	/** The answer to exec, attach, port-forward and logs, which need a kubelet. */
	readonly execHint: string;
}

const shortestWatch = 1_800_000;

/** Answers a request for objects. Throws ApiError. */
export async function serveResource(deps: ResourceDeps, exchange: Exchange, path: ResourcePath): Promise<void> {
	const { method } = exchange;
	if (path.subresource !== undefined) return serveSubresource(deps, exchange, path, path.subresource);
	if (method === 'GET' || method === 'HEAD') {
		const watching = exchange.flag('watch');
		return path.name === undefined || watching ? serveCollection(deps, exchange, path, watching) : serveOne(deps, exchange, path);
	}
	if (path.name === undefined) {
		if (method === 'POST') return create(deps, exchange, path);
		if (method === 'DELETE') return removeCollection(deps, exchange, path);
	} else {
		if (method === 'PUT' || method === 'PATCH') return update(deps, exchange, path);
		if (method === 'DELETE') return remove(deps, exchange, path);
	}
	throw methodNotAllowed();
}

function methodNotAllowed(): ApiError {
	return new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
}

function viewOf(deps: ResourceDeps, exchange: Exchange, endpoint: Endpoint): View {
	const includeObject = exchange.query('includeObject') ?? 'Metadata';
	if (!isIncludeObject(includeObject)) throw badRequest(`includeObject must be None, Metadata or Object, not "${includeObject}"`);
	return { ...negotiate(exchange.request.headers.accept), endpoint, includeObject, clock: deps.rest.clock };
}

function isIncludeObject(text: string): text is IncludeObject {
	return text === 'None' || text === 'Metadata' || text === 'Object';
}

function answer(exchange: Exchange, view: View, status: number, body: object): void {
	if (view.yaml) exchange.yaml(status, body);
	else exchange.json(status, body);
}

function serveOne(deps: ResourceDeps, exchange: Exchange, path: ResourcePath): void {
	const { endpoint, namespace, name } = targetOf(path);
	const view = viewOf(deps, exchange, endpoint);
	const object = deps.rest.store.get(endpoint.kind.resource, namespace, name);
	if (!object) throw notFound(subjectOf(endpoint), name);
	answer(exchange, view, 200, renderObject(view, object));
}

function serveCollection(deps: ResourceDeps, exchange: Exchange, path: ResourcePath, watching: boolean): void {
	const { endpoint, namespace } = path;
	const { store } = deps.rest;
	const view = viewOf(deps, exchange, endpoint);
	const matches = selectorOf(exchange, path);
	const resourceVersion = versionOf(exchange);
	if (watching) {
		const seconds = Number(exchange.query('timeoutSeconds') ?? 0);
		serveWatch(deps.watch, exchange.response, view, {
			namespace,
			matches,
			resourceVersion,
			sendInitialEvents: exchange.flag('sendInitialEvents'),
			bookmarks: exchange.flag('allowWatchBookmarks'),
			// Spread, so that the watches of one moment do not end in one moment.
			timeout: seconds > 0 ? seconds * 1000 : shortestWatch * (1 + deps.rest.random()),
		});
		return;
	}
	// Lists are whole and always of this moment: there is no older state to continue or to return to.
	const exact = exchange.query('resourceVersionMatch') === 'Exact' && resourceVersion !== store.resourceVersion;
	if (exact || exchange.query('continue'))
		throw new ApiError('Expired', 'the requested state of the list is no longer known; list again without it');
	const objects = store.list(endpoint.kind.resource, namespace).filter(matches);
	answer(exchange, view, 200, renderList(view, objects, store.resourceVersion));
}

function versionOf(exchange: Exchange): number | undefined {
	const text = exchange.query('resourceVersion');
	if (!text) return undefined;
	if (!/^\d+$/.test(text)) throw badRequest(`invalid resource version "${text}"`);
	return Number(text);
}

function selectorOf(exchange: Exchange, path: ResourcePath): Predicate {
	const byLabel = parseLabelSelector(exchange.query('labelSelector') ?? '');
	const byField = parseFieldSelector(exchange.query('fieldSelector') ?? '', path.endpoint.kind);
	return (object) => (path.name === undefined || object.metadata.name === path.name) && byLabel(object) && byField(object);
}

function targetOf({ endpoint, namespace, name }: ResourcePath): NamedTarget {
	if (namespace === undefined || name === undefined) throw methodNotAllowed();
	return { endpoint, namespace, name };
}

function writeOptions(exchange: Exchange): WriteOptions {
	const mode = exchange.query('fieldValidation');
	const dryRun = exchange.query('dryRun');
	if (dryRun && dryRun !== 'All') throw badRequest(`dryRun must be "All", not "${dryRun}"`);
	return {
		dryRun: dryRun === 'All',
		...(mode === 'Ignore' || mode === 'Warn' || mode === 'Strict' ? { fieldValidation: mode } : {}),
		warn: (text) => exchange.warn(text),
	};
}

async function create(deps: ResourceDeps, exchange: Exchange, path: ResourcePath): Promise<void> {
	const { endpoint, namespace } = path;
	if (namespace === undefined) throw methodNotAllowed();
	const view = viewOf(deps, exchange, endpoint);
	const body = parseBody(await readBody(exchange.request), mediaTypeOf(exchange.request));
	const options = writeOptions(exchange);
	const object = await admittedCreate(deps, { endpoint, namespace }, decodeObject(endpoint, body, options), options);
	answer(exchange, view, 201, renderObject(view, object));
}

async function update(
	deps: ResourceDeps,
	exchange: Exchange,
	path: ResourcePath,
	subresource?: UpdateOptions['subresource'],
): Promise<void> {
	const target = targetOf(path);
	const view = viewOf(deps, exchange, path.endpoint);
	const options = { ...writeOptions(exchange), ...(subresource ? { subresource } : {}) };
	const change = await readChange(exchange, { ...path.endpoint, kind: path.endpoint.kind.kind });
	const object = await admittedUpdate(deps, target, change, options);
	answer(exchange, view, 200, renderObject(view, object));
}

async function serveScale(deps: ResourceDeps, exchange: Exchange, path: ResourcePath): Promise<void> {
	const target = targetOf(path);
	const { method } = exchange;
	if (method === 'GET') return exchange.json(200, readScale(deps.rest, target));
	if (method !== 'PUT' && method !== 'PATCH') throw methodNotAllowed();
	const change = await readChange(exchange, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
	exchange.json(200, writeScale(deps.rest, target, change, writeOptions(exchange)));
}

async function deleteOptions(exchange: Exchange): Promise<DeleteOptions> {
	const sent = await readBody(exchange.request);
	const body = sent.length === 0 ? {} : parseBody(sent, mediaTypeOf(exchange.request));
	const grace = exchange.query('gracePeriodSeconds');
	const policy = exchange.query('propagationPolicy');
	const dryRun = exchange.query('dryRun');
	return decodeDeleteOptions({
		...(isRecord(body) ? body : {}),
		...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
		...(policy === undefined ? {} : { propagationPolicy: policy }),
		...(dryRun === undefined ? {} : { dryRun: [dryRun] }),
	});
}

async function remove(deps: ResourceDeps, exchange: Exchange, path: ResourcePath): Promise<void> {
	const target = targetOf(path);
	const view = viewOf(deps, exchange, path.endpoint);
	const removal = await admittedRemove(deps, target, await deleteOptions(exchange));
	answer(exchange, view, 200, removalBody(view, target, removal));
}

function removalBody(view: View, { endpoint, name }: NamedTarget, { object, gone }: Removal): object {
	if (!gone || endpoint.kind.strategy.returnsDeleted) return renderObject(view, object);
	const { uid } = object.metadata;
	const details = { name, ...(endpoint.group ? { group: endpoint.group } : {}), kind: endpoint.kind.plural, ...(uid ? { uid } : {}) };
	return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

async function removeCollection(deps: ResourceDeps, exchange: Exchange, path: ResourcePath): Promise<void> {
	const { endpoint, namespace } = path;
	if (namespace === undefined) throw methodNotAllowed();
	const view = viewOf(deps, exchange, endpoint);
	const matches = selectorOf(exchange, path);
	const options = await deleteOptions(exchange);
	const { store } = deps.rest;
	const objects = store.list(endpoint.kind.resource, namespace).filter(matches);
	const removed: ApiObject[] = [];
	for (const { metadata } of objects) {
		const target = { endpoint, namespace: metadata.namespace ?? '', name: metadata.name };
		removed.push((await admittedRemove(deps, target, options)).object);
	}
	answer(exchange, view, 200, renderList(view, removed, store.resourceVersion));
}

async function serveSubresource(deps: ResourceDeps, exchange: Exchange, path: ResourcePath, name: string): Promise<void> {
	const { endpoint } = path;
	const { method } = exchange;
	if (name === 'status' && endpoint.status) {
		if (method === 'GET') return serveOne(deps, exchange, path);
		if (method === 'PUT' || method === 'PATCH') return update(deps, exchange, path, 'status');
		throw methodNotAllowed();
	}
	if (!endpoint.subresources.some((subresource) => subresource.name === name))
		throw new ApiError('NotFound', 'the server could not find the requested resource');
	const target = targetOf(path);
	if (name === 'scale') return serveScale(deps, exchange, path);
	if (name === 'finalize' && method === 'PUT') return update(deps, exchange, path, 'finalize');
	if (name !== 'binding' && name !== 'eviction') {
		requireObject(deps, target);
		throw new ApiError('NotImplemented', deps.execHint);
	}
	if (method !== 'POST') throw methodNotAllowed();
	const options = writeOptions(exchange);
	const dryRun = options.dryRun === true;
	const sent = parseBody(await readBody(exchange.request), mediaTypeOf(exchange.request));
	const body = await admitBody(deps, target, name, sent, options);
	if (name === 'eviction') evictPod(deps.rest, target, body, dryRun);
	else if (!dryRun) bindPod(deps.rest, target, body);
	exchange.json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

/** A missing pod is the better answer than what cannot be done with it. */
function requireObject({ rest }: ResourceDeps, { endpoint, namespace, name }: NamedTarget): void {
	if (!rest.store.get(endpoint.kind.resource, namespace, name)) throw notFound(subjectOf(endpoint), name);
}
