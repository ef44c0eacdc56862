import { timestamp } from '@tapestry/kube';
import { ApiError, alreadyExists, badRequest, forbidden, invalid, notFound, type Subject } from '../errors.ts';
import { type ApiObject, type Draft, draftOf } from '../objects.ts';
import { crdResource } from '../registry/crd.ts';
import { type Endpoint, toStored } from '../registry/kind.ts';
import { validateMetadata } from '../registry/metadata.ts';
import { required } from '../registry/names.ts';
import { admissionOf, type RestContext, type Target, type WriteOptions } from './context.ts';
import { validateShape } from './shape.ts';

/** Creates a decoded object. Returns it as stored. Throws ApiError. */
export function createObject(context: RestContext, target: Target, served: ApiObject, options: WriteOptions = {}): ApiObject {
	return storeNew(context, target, draftNew(context, target, served), options);
}

/** The object as it would be stored: with its identity, the defaults and what the server sets, and found valid. Throws ApiError. */
export function draftNew(context: RestContext, target: Target, served: ApiObject): Draft {
	const { endpoint } = target;
	const { kind } = endpoint;
	const draft = draftOf(toStored(endpoint, served));
	setIdentity(context, target, draft);
	const { name } = draft.metadata;
	refuseWhileTerminating(context, target, name);
	if (endpoint.status && kind.custom) delete draft.status;
	const shape = validateShape(endpoint, draft);
	if (shape.length > 0) throw invalid(subjectOf(endpoint), name, [...validateMetadata(draft, kind), ...shape]);
	kind.strategy.create?.(draft, admissionOf(context));
	validateNew(context, target, draft);
	return draft;
}

/** Stores what `draftNew` made. */
function storeNew(context: RestContext, { endpoint, namespace }: Target, draft: Draft, options: WriteOptions): ApiObject {
	const { resource } = endpoint.kind;
	const { name } = draft.metadata;
	if (context.store.get(resource, namespace, name)) throw alreadyExists(subjectOf(endpoint), name);
	return options.dryRun ? draft : context.store.put(resource, draft);
}

/** Stores what `draftNew` made in an earlier turn: what it was checked against may have changed. Throws ApiError. */
export function storeLater(context: RestContext, target: Target, draft: Draft, options: WriteOptions): ApiObject {
	refuseWhileTerminating(context, target, draft.metadata.name);
	validateNew(context, target, draft);
	return storeNew(context, target, draft, options);
}

function validateNew(context: RestContext, { endpoint }: Target, draft: Draft): void {
	const { kind } = endpoint;
	const errors = [...validateMetadata(draft, kind), ...(kind.strategy.validate?.(draft, undefined, admissionOf(context)) ?? [])];
	if (errors.length > 0) throw invalid(subjectOf(endpoint), draft.metadata.name, errors);
}

export function subjectOf(endpoint: Endpoint): Subject {
	return { group: endpoint.group, plural: endpoint.kind.plural, kind: endpoint.kind.kind };
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';
const longestGenerateName = 58;

function setIdentity(context: RestContext, { endpoint, namespace }: Target, draft: Draft): void {
	const { metadata } = draft;
	// On a cluster-scoped object it has no meaning, and is dropped below.
	if (namespace && (metadata.namespace ?? namespace) !== namespace) {
		throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
	}
	if (metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
	if (!metadata.name && metadata.generateName) {
		const suffix = Array.from({ length: 5 }, () => suffixLetters[Math.floor(context.random() * suffixLetters.length)]).join('');
		metadata.name = metadata.generateName.slice(0, longestGenerateName) + suffix;
	}
	if (!metadata.name) throw invalid(subjectOf(endpoint), '', [required('metadata.name', 'name or generateName is required')]);
	if (namespace) metadata.namespace = namespace;
	else delete metadata.namespace;
	delete metadata.resourceVersion;
	delete metadata.deletionTimestamp;
	delete metadata.deletionGracePeriodSeconds;
	metadata.uid = context.uuid();
	metadata.creationTimestamp = timestamp(context.clock.now());
	if (endpoint.kind.strategy.generation) metadata.generation = 1;
	else delete metadata.generation;
}

function refuseWhileTerminating(context: RestContext, { endpoint, namespace }: Target, name: string): void {
	if (namespace) {
		const parent = context.store.get('namespaces', '', namespace);
		if (!parent) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace);
		if (parent.metadata.deletionTimestamp) {
			throw forbidden(subjectOf(endpoint), name, `unable to create new content in namespace ${namespace} because it is being terminated`);
		}
	}
	if (!endpoint.kind.custom) return;
	const definition = context.store.get(crdResource, '', endpoint.kind.resource);
	if (definition?.metadata.deletionTimestamp) {
		throw new ApiError('MethodNotAllowed', 'create not allowed while custom resource definition is terminating');
	}
}
