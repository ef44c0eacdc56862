import { parseIp } from '@tapestry/base';
import { type KubeClient, type Node, nodes } from '@tapestry/kube';
import { type Observed, type ObservedNode, type Subnet, subnetResource } from '@tapestry/network';

/** The nodes with their addresses and health. */
export async function observeNodes(client: KubeClient, signal: AbortSignal): Promise<Observed['nodes']> {
	const { items } = await client.list<Node>(nodes, { signal });
	return new Map(items.map((node) => [node.metadata.name, observedNode(node)]));
}

function observedNode({ status }: Node): ObservedNode {
	const ready = (status?.conditions ?? []).find(({ type }) => type === 'Ready');
	const own = (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP');
	const isReady = ready === undefined || ready.status === 'True';
	return { addresses: own.flatMap(({ address }) => parseIp(address) ?? []), isReady, trouble: isReady ? undefined : ready?.message };
}

/** The MTU of each subnet that sets one. */
export async function observeMtus(client: KubeClient, signal: AbortSignal): Promise<Observed['mtus']> {
	const { items } = await client.list<Subnet>(subnetResource, { signal });
	return new Map(items.flatMap(({ metadata, spec }) => (spec.mtu === undefined ? [] : [[metadata.name, spec.mtu] as const])));
}
