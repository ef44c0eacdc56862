import { type LeaseFacts, type NetworkPolicy, PolicySet, readNetworkPolicy, type World } from '@tapestry/network';
import { bareWorld, numberedLease } from '../worlds.ts';

/** Ports of one namespace, and policies of which each selects all of them by a label of its own. */
const portsPerNamespace = 50;

export interface PolicyWorld {
	readonly world: World;
	setPolicy(policy: NetworkPolicy): void;
}

/** The default VPC with `ports` ports on the chassis in turn. */
export function policyWorld(ports: number, chassis: readonly string[]): PolicyWorld {
	const world = bareWorld({ servesServices: false });
	for (let index = 0; index < ports; index++) {
		const facts = leaseOf(index, chassis[index % chassis.length] ?? '');
		world.set('IP', facts.name, facts);
	}
	const set = new PolicySet(world);
	return {
		world,
		setPolicy: (policy) =>
			set.set('NetworkPolicy', `${policy.metadata.namespace}/${policy.metadata.name}`, readNetworkPolicy(policy).reading),
	};
}

export function leaseOf(index: number, node: string): LeaseFacts {
	const group = Math.floor(index / portsPerNamespace);
	return numberedLease(index + 2, `p${index}.ns${group}`, {
		node,
		ownerUid: `uid-${index}`,
		namespace: `ns${group}`,
		labels: {
			app: `a${index % 5}`,
			...Object.fromEntries(Array.from({ length: portsPerNamespace }, (_, policy) => [`p${policy}`, 'yes'])),
		},
	});
}

/** Policy number `index`: 50 to a namespace. `port` tells versions apart. */
export function policyOf(index: number, port: number): NetworkPolicy {
	const namespace = `ns${Math.floor(index / portsPerNamespace)}`;
	return {
		metadata: { name: `np${index}`, namespace },
		spec: {
			podSelector: { matchLabels: { [`p${index % portsPerNamespace}`]: 'yes' } },
			ingress: [{ from: [{ podSelector: { matchLabels: { app: `a${index % 5}` } } }], ports: [{ port }] }],
		},
	};
}
