import { parseIp } from '@tapestry/base';
import { findCondition, type Node } from '@tapestry/kube';
import type { NodeFacts } from '@tapestry/network';

export function nodeFacts(node: Node): NodeFacts {
	const addresses = (node.status?.addresses ?? []).filter(({ type, address }) => type === 'InternalIP' && parseIp(address));
	return {
		name: node.metadata.name,
		addresses: addresses.map(({ address }) => address).sort(),
		labels: node.metadata.labels ?? {},
		// A node whose kubelet has not spoken yet may forward all the same.
		isReady: (findCondition(node.status?.conditions, 'Ready')?.status ?? 'True') === 'True',
	};
}
