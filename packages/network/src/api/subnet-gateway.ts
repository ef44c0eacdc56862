import type { LabelSelector } from './common.ts';
import { defaultNames } from './names.ts';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { isOvnSubnet, splitList, vpcOf } from './subnet-addressing.ts';

/** How pods of a subnet leave the default VPC: each through its own node, or all through a few named ones. */
export type SubnetGateway =
	| { readonly kind: 'distributed' }
	| {
			readonly kind: 'centralized';
			/** Nodes by name, the preferred one first. */
			readonly nodes: readonly string[];
			/** Further nodes by label. */
			readonly selectors: readonly LabelSelector[];
			/** Whether all of them share the traffic; otherwise the first that is ready carries it. */
			readonly isShared: boolean;
	  };

/** Undefined for a subnet that has no way out through nodes. */
export function readGateway(subnet: Subnet): SubnetGateway | undefined {
	const { spec, metadata } = subnet;
	if (!isOvnSubnet(subnet) || vpcOf(subnet) !== defaultNames.vpc || metadata.name === defaultNames.joinSubnet) return undefined;
	if (spec.gatewayType !== 'centralized') return { kind: 'distributed' };
	// Kube-OVN lets an address follow the name, for underlay subnets.
	const nodes = [...new Set(splitList(spec.gatewayNode).map((entry) => entry.split(':')[0]?.trim() ?? ''))].filter((name) => name !== '');
	return { kind: 'centralized', nodes, selectors: spec.gatewayNodeSelectors ?? [], isShared: spec.enableEcmp === true };
}

/** What of the fields about the way out cannot be as written; the subnet is in use all the same. */
export function* gatewayFieldProblems(subnet: Subnet): Generator<Problem> {
	const { name } = subnet.metadata;
	const { gatewayType, gatewayNode, gatewayNodeSelectors = [], enableEcmp, natOutgoing, externalEgressGateway } = subnet.spec;
	const names = gatewayNode || gatewayNodeSelectors.length > 0;
	const field = 'spec.gatewayType';
	const what = `subnet ${name} has no centralized gateway`;
	if (natOutgoing && externalEgressGateway) {
		yield {
			reason: 'EgressContradiction',
			field: 'spec.externalEgressGateway',
			what: `subnet ${name} does not leave through ${externalEgressGateway}`,
			why: 'natOutgoing says that its pods leave with the address of a node',
			fix: 'remove one of the two',
		};
	}
	if (gatewayType && gatewayType !== 'distributed' && gatewayType !== 'centralized') {
		const why = `gatewayType ${JSON.stringify(gatewayType)} is neither distributed nor centralized`;
		yield { reason: 'GatewayTypeUnknown', field, what, why, fix: 'set spec.gatewayType to one of the two' };
	} else if (gatewayType === 'centralized' && !names) {
		const why = 'neither gatewayNode nor gatewayNodeSelectors names a node';
		yield { reason: 'GatewayNodeMissing', field: 'spec.gatewayNode', what, why, fix: 'name nodes, or set spec.gatewayType to distributed' };
	} else if (gatewayType === 'centralized' && readGateway(subnet)?.kind !== 'centralized') {
		const why = `only subnets of VPC ${defaultNames.vpc} leave through nodes`;
		yield { reason: 'GatewayContradiction', field, what, why, fix: 'route to a gateway by spec.staticRoutes of the Vpc' };
	} else if (gatewayType !== 'centralized' && (names || enableEcmp)) {
		const used = [gatewayNode && 'gatewayNode', gatewayNodeSelectors.length > 0 && 'gatewayNodeSelectors', enableEcmp && 'enableEcmp'];
		const why = `${used.filter((one) => one).join(' and ')} count only with gatewayType centralized`;
		yield { reason: 'GatewayContradiction', field, what, why, fix: 'set spec.gatewayType to centralized, or remove them' };
	}
}
