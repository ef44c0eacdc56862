import { timestamp } from '@tapestry/kube';
import { badRequest, conflict, forbidden, notFound } from '../errors.ts';
import { type ApiObject, type Draft, draftOf, stringAt, valueAt } from '../objects.ts';
import { crdFinalizer, crdResource } from '../registry/crd.ts';
import { conform } from '../typed/json.ts';
import type { NamedTarget, RestContext } from './context.ts';
import { subjectOf } from './create.ts';
import { isReleased } from './update.ts';

/** meta/v1 DeleteOptions. */
export interface DeleteOptions {
	readonly gracePeriodSeconds?: number;
	readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
	readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
	readonly dryRun?: boolean;
}

/** A body of meta/v1 DeleteOptions. Throws BadRequest. */
export function decodeDeleteOptions(body: unknown): DeleteOptions {
	const { dryRun, ...options } = conform('meta/v1.DeleteOptions', body, '', []) as Omit<DeleteOptions, 'dryRun'> & {
		readonly dryRun?: readonly string[];
	};
	const { propagationPolicy: policy } = options;
	if (policy !== undefined && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan') {
		throw badRequest(`propagationPolicy must be Background, Foreground or Orphan, not ${JSON.stringify(policy)}`);
	}
	return { ...options, dryRun: dryRun?.includes('All') ?? false };
}

/** `gone` is false while finalizers, a grace period or contents hold the object. */
export interface Removal {
	readonly object: ApiObject;
	readonly gone: boolean;
}

/** Without these, nothing else works. */
const immortal = ['default', 'kube-system', 'kube-public'];

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

/** Deletes an object, or begins to. Deleting again may only shorten the grace period. Throws ApiError. */
export function removeObject(context: RestContext, target: NamedTarget, options: DeleteOptions = {}): Removal {
	const { endpoint, namespace, name } = target;
	const { resource } = endpoint.kind;
	const before = context.store.get(resource, namespace, name);
	if (!before) throw notFound(subjectOf(endpoint), name);
	checkPreconditions(target, before, options);
	if (resource === 'namespaces' && immortal.includes(name)) throw forbidden(subjectOf(endpoint), name, 'this namespace may not be deleted');
	const draft = draftOf(before);
	markDeleted(context, draft, resource, options);
	const gone = isReleased(draft);
	if (options.dryRun) return { object: draft, gone };
	if (gone) return { object: context.store.remove(resource, namespace, name) ?? before, gone };
	if (isSame(draft, before)) return { object: before, gone };
	return { object: context.store.put(resource, draft), gone };
}

function checkPreconditions({ endpoint, name }: NamedTarget, before: ApiObject, { preconditions }: DeleteOptions): void {
	for (const [key, label] of [
		['uid', 'UID'],
		['resourceVersion', 'ResourceVersion'],
	] as const) {
		const [wanted, actual] = [preconditions?.[key], before.metadata[key]];
		if (wanted === undefined || wanted === actual) continue;
		throw conflict(
			subjectOf(endpoint),
			name,
			`Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${actual}`,
		);
	}
}

function markDeleted(context: RestContext, draft: Draft, resource: string, options: DeleteOptions): void {
	const { metadata } = draft;
	const finalizers = finalizersFor(metadata.finalizers ?? [], options.propagationPolicy);
	if (resource === crdResource && !finalizers.includes(crdFinalizer)) finalizers.push(crdFinalizer);
	// Once deletion has begun, only finalizers that are there may go.
	if (!metadata.deletionTimestamp) {
		if (finalizers.length > 0) metadata.finalizers = finalizers;
		else delete metadata.finalizers;
	}
	const grace = resource === 'pods' ? podGrace(draft, options.gracePeriodSeconds) : 0;
	if (metadata.deletionTimestamp && grace >= (metadata.deletionGracePeriodSeconds ?? 0)) return;
	metadata.deletionTimestamp = timestamp(context.clock.now() + grace * 1000);
	metadata.deletionGracePeriodSeconds = grace;
	if (resource === 'namespaces') draft.status = { ...(valueAt(draft, 'status') as object | undefined), phase: 'Terminating' };
}

function finalizersFor(present: readonly string[], policy: DeleteOptions['propagationPolicy']): string[] {
	if (policy === undefined) return [...present];
	const others = present.filter((name) => name !== foregroundFinalizer && name !== orphanFinalizer);
	if (policy === 'Foreground') return [...others, foregroundFinalizer];
	return policy === 'Orphan' ? [...others, orphanFinalizer] : others;
}

/** Nobody will end a pod that no kubelet has, or one that has ended. */
function podGrace(pod: Draft, asked: number | undefined): number {
	const phase = stringAt(pod, 'status.phase');
	if (!stringAt(pod, 'spec.nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0;
	const own = valueAt(pod, 'spec.terminationGracePeriodSeconds');
	return Math.max(0, asked ?? (typeof own === 'number' ? own : 30));
}

function isSame(draft: Draft, before: ApiObject): boolean {
	return JSON.stringify(draft.metadata) === JSON.stringify(before.metadata);
}
