import { hasEnded, type Node, type Pod } from '@tapestry/kube';
import { misfit } from './fit.ts';

export type Placement =
	| { readonly kind: 'bind'; readonly node: string }
	/** No node takes the pod; `message` says how many are unfit for which reason. */
	| { readonly kind: 'unschedulable'; readonly message: string };

/** True for a pod that waits for this scheduler. */
export function isWaiting(pod: Pod): boolean {
	const { nodeName, schedulerName = 'default-scheduler' } = pod.spec ?? { containers: [] };
	return !nodeName && schedulerName === 'default-scheduler' && pod.metadata.deletionTimestamp === undefined && !hasEnded(pod);
}

/** Of the nodes that fit, the one with the fewest pods; among equals, the first by name. `load` is the number of pods on a node. */
export function place(pod: Pod, nodes: Iterable<Node>, load: (node: string) => number): Placement {
	const reasons = new Map<string, number>();
	let total = 0;
	let best: { readonly node: string; readonly load: number } | undefined;
	for (const node of nodes) {
		total += 1;
		const reason = misfit(pod, node);
		if (reason !== undefined) {
			reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
			continue;
		}
		const { name } = node.metadata;
		const candidate = { node: name, load: load(name) };
		if (best === undefined || candidate.load < best.load || (candidate.load === best.load && name < best.node)) best = candidate;
	}
	if (best !== undefined) return { kind: 'bind', node: best.node };
	const list = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
	const why = list.length === 0 ? 'there are no nodes' : list.join(', ');
	return { kind: 'unschedulable', message: `0/${total} nodes are available: ${why}.` };
}
