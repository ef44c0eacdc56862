import type { SubnetGateway } from '../api/subnet-gateway.ts';
import type { DesiredRow } from '../plan/model.ts';
import type { NodeFacts, SubnetFacts } from '../world/objects.ts';
import { selectorMatches } from '../world/selector.ts';
import type { Read } from '../world/world.ts';
import { nodePortName, routerRow } from './names.ts';
import { policyPriority } from './priorities.ts';

/**
 * The nodes that carry what a centralized subnet sends out: of those that are ready all, or the first. When none is ready the choice is made among
 * all, because a node that says nothing may still forward.
 */
export function activeGateways(gateway: SubnetGateway & { readonly kind: 'centralized' }, nodes: readonly NodeFacts[]): readonly string[] {
	const named = gateway.nodes.flatMap((name) => nodes.find((node) => node.name === name) ?? []);
	const selected = nodes.filter((node) => gateway.selectors.some((selector) => selectorMatches(selector, node.labels)));
	const all = [...new Set([...named, ...selected])];
	const ready = all.filter((node) => node.isReady);
	const candidates = (ready.length > 0 ? ready : all).map(({ name }) => name);
	return gateway.isShared ? candidates.toSorted() : candidates.slice(0, 1);
}

/** Sends to the gateway nodes what the subnet sends out of the VPC: one policy for each family, however many nodes there are. */
export function gatewayPolicies(subnet: SubnetFacts, read: Read): readonly DesiredRow[] {
	const { gateway } = subnet;
	if (gateway?.kind !== 'centralized') return [];
	const active = activeGateways(gateway, read.list('Node', 'all', ''));
	const leases = active.flatMap((node) => read.get('IP', nodePortName(node)) ?? []);
	return subnet.blocks.map(({ family, cidr }) => {
		const nexthops = leases.flatMap((lease) => (family === 4 ? lease.v4 : lease.v6) ?? []);
		return {
			table: 'Logical_Router_Policy',
			key: `subnet/${subnet.name}/gateway/${family}`,
			columns: {
				priority: policyPriority.gateway,
				match: `ip${family}.src == ${cidr}`,
				// Without a gateway nothing leaves; by its own node it would leave with an address that others do not expect.
				action: nexthops.length > 0 ? 'reroute' : 'drop',
				nexthops,
			},
			listedIn: [{ ...routerRow(subnet.vpc), column: 'policies' }],
		};
	});
}
