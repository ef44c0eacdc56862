import { badRequest, conflict, notFound } from '../errors.ts';
import { type ApiObject, draftOf, recordAt, recordsAt, stringAt } from '../objects.ts';
import { scheduled } from '../registry/pod.ts';
import { admissionOf, type NamedTarget, type RestContext } from './context.ts';
import { subjectOf } from './create.ts';
import { decodeDeleteOptions, removeObject } from './remove.ts';

/** POST pods/NAME/binding: the scheduler's decision. Throws Conflict when the pod has a node or is being deleted. */
export function bindPod(context: RestContext, target: NamedTarget, body: unknown): ApiObject {
	const { endpoint, namespace, name } = target;
	const pod = context.store.get('pods', namespace, name);
	if (!pod) throw notFound(subjectOf(endpoint), name);
	const node = stringAt(body, 'target.name');
	if (!node) throw badRequest('target.name of the binding names no node');
	const uid = stringAt(body, 'metadata.uid');
	if (uid && uid !== pod.metadata.uid) throw conflict(subjectOf(endpoint), name, `the pod's UID is ${pod.metadata.uid}`);
	if (pod.metadata.deletionTimestamp)
		throw conflict(subjectOf(endpoint), name, `pod ${name} is being deleted, cannot be assigned to a host`);
	const current = stringAt(pod, 'spec.nodeName');
	if (current) throw conflict(subjectOf(endpoint), name, `pod ${name} is already assigned to node "${current}"`);
	const draft = draftOf(pod);
	const annotations = recordAt(body, 'metadata.annotations');
	if (annotations) draft.metadata.annotations = { ...draft.metadata.annotations, ...(annotations as Record<string, string>) };
	draft.spec = { ...recordAt(draft, 'spec'), nodeName: node };
	const others = recordsAt(draft, 'status.conditions').filter(({ type }) => type !== 'PodScheduled');
	draft.status = { ...recordAt(draft, 'status'), conditions: [...others, scheduled(admissionOf(context))] };
	return context.store.put('pods', draft);
}

/** POST pods/NAME/eviction. There are no disruption budgets here, so it deletes. */
export function evictPod(context: RestContext, target: NamedTarget, body: unknown, dryRun: boolean): void {
	const options = decodeDeleteOptions(recordAt(body, 'deleteOptions') ?? {});
	removeObject(context, target, { ...options, dryRun: dryRun || options.dryRun === true });
}
