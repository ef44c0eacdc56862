import { badRequest, staleVersion } from '../errors.ts';
import { type ApiObject, isRecord } from '../objects.ts';
import { toServed } from '../registry/kind.ts';
import type { NamedTarget, RestContext, Target, WriteOptions } from '../rest/context.ts';
import { createObject, draftNew, storeLater, subjectOf } from '../rest/create.ts';
import { decodeObject } from '../rest/decode.ts';
import { type DeleteOptions, type Removal, removeObject } from '../rest/remove.ts';
import { completeUpdate, proposeUpdate, storeUpdate, type UpdateOptions, updateObject } from '../rest/update.ts';
import type { Attributes } from './attributes.ts';
import type { Webhooks } from './webhooks.ts';

// The writes of rest/, with the webhooks asked in between. A request that no webhook is about takes the direct way, in one turn.

export interface AdmittedDeps {
	readonly rest: RestContext;
	readonly webhooks: Webhooks;
}

/**
 * Mutating webhooks see a new object as the client wrote it (custom resources with their defaults, built-in kinds without), validating
 * ones as it will be stored. Throws ApiError.
 */
export async function admittedCreate(deps: AdmittedDeps, target: Target, served: ApiObject, options: WriteOptions): Promise<ApiObject> {
	const { rest, webhooks } = deps;
	const { endpoint, namespace } = target;
	if (!webhooks.concern({ endpoint, operation: 'CREATE' })) return createObject(rest, target, served, options);
	const withNamespace = namespace ? { ...served, metadata: { ...served.metadata, namespace } } : served;
	const asked: Attributes = {
		operation: 'CREATE',
		...target,
		name: served.metadata.name ?? '',
		oldObject: undefined,
		...common(options),
		object: withNamespace,
	};
	const mutated = await webhooks.mutate(asked);
	const draft = draftNew(rest, target, mutated === withNamespace ? served : decodeObject(endpoint, mutated));
	await webhooks.validate({ ...asked, name: draft.metadata.name, object: toServed(endpoint, draft) });
	return storeLater(rest, target, draft, options);
}

const mostTries = 5;

/** When the object changes while webhooks are asked, the change is made anew from what it is then, as kube-apiserver does. Throws ApiError. */
export async function admittedUpdate(
	deps: AdmittedDeps,
	target: NamedTarget,
	change: (served: ApiObject) => unknown,
	options: UpdateOptions,
): Promise<ApiObject> {
	const { rest, webhooks } = deps;
	const { endpoint, namespace, name } = target;
	const subresource = options.subresource ? { subresource: { name: options.subresource } } : {};
	if (!webhooks.concern({ endpoint, operation: 'UPDATE', ...subresource })) return updateObject(rest, target, change, options);
	for (let attempt = 0; attempt < mostTries; attempt++) {
		const first = proposeUpdate(rest, target, change, options);
		const object = toServed(endpoint, first.draft);
		const oldObject = toServed(endpoint, first.before);
		const asked: Attributes = { operation: 'UPDATE', ...target, ...subresource, ...common(options), object, oldObject };
		const mutated = await webhooks.mutate(asked);
		if (rest.store.get(endpoint.kind.resource, namespace, name) !== first.before) continue;
		const proposal = mutated === object ? first : proposeUpdate(rest, target, () => mutated, { ...options, fieldValidation: 'Ignore' });
		const complete = completeUpdate(rest, target, proposal, options);
		await webhooks.validate({ ...asked, object: toServed(endpoint, complete.draft) });
		if (rest.store.get(endpoint.kind.resource, namespace, name) !== first.before) continue;
		return storeUpdate(rest, target, complete, options);
	}
	throw staleVersion(subjectOf(endpoint), name);
}

export async function admittedRemove(deps: AdmittedDeps, target: NamedTarget, options: DeleteOptions): Promise<Removal> {
	const { rest, webhooks } = deps;
	const { endpoint, namespace, name } = target;
	const before = rest.store.get(endpoint.kind.resource, namespace, name);
	if (before && webhooks.concern({ endpoint, operation: 'DELETE' })) {
		const oldObject = toServed(endpoint, before);
		const asked: Attributes = { operation: 'DELETE', ...target, ...common(options), object: undefined, oldObject };
		await webhooks.mutate(asked);
		await webhooks.validate(asked);
	}
	return removeObject(rest, target, options);
}

/** The body of a subresource that has a kind of its own: a pod's Binding or Eviction. Returns it as the webhooks leave it. */
export async function admitBody(
	deps: AdmittedDeps,
	target: NamedTarget,
	name: string,
	body: unknown,
	options: WriteOptions,
): Promise<unknown> {
	const { webhooks } = deps;
	const { endpoint } = target;
	const subresource = endpoint.subresources.find((candidate) => candidate.name === name) ?? { name };
	if (!webhooks.concern({ endpoint, operation: 'CREATE', subresource })) return body;
	if (!isRecord(body)) throw badRequest('the body of the request is not an object');
	const object = { metadata: { name: target.name, namespace: target.namespace }, ...body } as unknown as ApiObject;
	const asked: Attributes = { operation: 'CREATE', ...target, subresource, ...common(options), object, oldObject: undefined };
	const mutated = await webhooks.mutate(asked);
	await webhooks.validate({ ...asked, object: mutated });
	return mutated;
}

function common(options: { readonly dryRun?: boolean; readonly warn?: (text: string) => void }): Pick<Attributes, 'dryRun' | 'warn'> {
	return { dryRun: options.dryRun === true, ...(options.warn ? { warn: options.warn } : {}) };
}
