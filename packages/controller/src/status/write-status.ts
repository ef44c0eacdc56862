import { isCoded, type Signal, sentence } from '@tapestry/base';
import { type Condition, type EventRecorder, findCondition, type KubeClient, type Resource } from '@tapestry/kube';
import { type ApiObject, type Problem, sameFacts } from '@tapestry/network';

export interface StatusWriterDeps {
	readonly client: KubeClient;
	readonly events: EventRecorder;
}

type WithConditions = ApiObject<unknown, { readonly conditions?: readonly Condition[] | undefined } | undefined>;

/** Writes the fields of a status that differ from what is there, and one event for each new problem. */
export async function writeStatus(
	{ client, events }: StatusWriterDeps,
	resource: Resource,
	object: WithConditions,
	wanted: object,
	problems: readonly Problem[],
	options: { readonly signal: Signal; readonly subresource?: string },
): Promise<void> {
	const current = (object.status ?? {}) as Readonly<Record<string, unknown>>;
	const patch = Object.entries(wanted).filter(([field, value]) => !sameFacts(current[field], value));
	if (patch.length === 0) return;
	const body = { metadata: { uid: object.metadata.uid }, status: Object.fromEntries(patch) };
	try {
		await client.patch(resource, { name: object.metadata.name }, 'application/merge-patch+json', body, options);
	} catch (error) {
		if (isCoded(error, 'KUBE_NOT_FOUND')) return;
		throw error;
	}
	const [first] = problems;
	const isNews = findCondition(object.status?.conditions, 'Validated')?.message !== messageOf(problems);
	if (first && isNews) events.record(resource, object, { type: 'Warning', reason: first.reason, message: messageOf(problems) });
}

/** Condition `Validated`: what is wrong with an object, in use or not. */
export function validatedCondition(problems: readonly Problem[]): Omit<Condition, 'lastTransitionTime'> {
	const [first] = problems;
	if (!first) return { type: 'Validated', status: 'True', reason: 'Valid', message: 'the object is valid' };
	return { type: 'Validated', status: 'False', reason: first.reason, message: messageOf(problems) };
}

function messageOf(problems: readonly Problem[]): string {
	return problems.map(sentence).join('; ');
}
