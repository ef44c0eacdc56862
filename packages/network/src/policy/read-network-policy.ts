import { type NetworkPolicy, type NetworkPolicyPeer, type NetworkPolicyPort, networkPolicyResource } from '../api/network-policy.ts';
import type { Problem } from '../api/problem.ts';
import type { Direction, RuleFacts } from '../world/policies.ts';
import type { PolicyReading } from '../world/policy-set.ts';
import { PolicyReader } from './read-parts.ts';

/** What a NetworkPolicy says. A peer or port that cannot be read lets nothing pass, is told about, and the rest counts. */
export function readNetworkPolicy(policy: NetworkPolicy): { readonly reading: PolicyReading; readonly problems: readonly Problem[] } {
	const { name, namespace = '' } = policy.metadata;
	const { podSelector = {}, ingress = [], egress = [] } = policy.spec;
	const reader = new PolicyReader();
	const subject = reader.selector({ namespaces: namespace, pods: podSelector });
	const isolates = isolatedDirections(policy);
	const rulesOf = (direction: Direction): readonly RuleFacts[] => {
		if (!isolates.includes(direction)) return [];
		const rules = direction === 'ingress' ? ingress.map(({ from, ports }) => ({ peers: from, ports })) : egress.map(toRule);
		return rules.flatMap((rule, index) => readRule(reader, rule, namespace, direction, `spec.${direction}[${index}]`));
	};
	const facts = {
		owner: `${networkPolicyResource.kind}/${namespace}/${name}`,
		subject,
		isolates,
		rules: [...rulesOf('ingress'), ...rulesOf('egress')],
		priority: 0,
	};
	return {
		reading: { facts, selectors: [...reader.selectors.values()], portNames: [...reader.portNames.values()] },
		problems: reader.problems,
	};
}

interface Rule {
	readonly peers: readonly NetworkPolicyPeer[] | undefined;
	readonly ports: readonly NetworkPolicyPort[] | undefined;
}

function toRule({ to, ports }: NonNullable<NetworkPolicy['spec']['egress']>[number]): Rule {
	return { peers: to, ports };
}

/** networking.k8s.io/v1: without policyTypes a policy is about ingress, and about egress when it has rules for that. */
function isolatedDirections({ spec }: NetworkPolicy): readonly Direction[] {
	const types = spec.policyTypes ?? ['Ingress', ...((spec.egress ?? []).length > 0 ? (['Egress'] as const) : [])];
	return (['ingress', 'egress'] as const).filter((direction) => types.includes(direction === 'ingress' ? 'Ingress' : 'Egress'));
}

/** One for each peer, so that a verdict names it. No peers are anybody, no ports are all traffic. */
function readRule(
	reader: PolicyReader,
	{ peers = [], ports = [] }: Rule,
	namespace: string,
	direction: Direction,
	path: string,
): RuleFacts[] {
	const traffic = ports.flatMap((port, index) => reader.traffic(port, `${path}.ports[${index}]`) ?? []);
	const common = { direction, action: 'allow', traffic: ports.length === 0 ? undefined : traffic } as const;
	if (peers.length === 0) return [{ ...common, path, peer: undefined }];
	return peers.flatMap((one, index) => {
		const at = `${path}.${direction === 'ingress' ? 'from' : 'to'}[${index}]`;
		const peer = reader.peer(one, namespace, at);
		return peer ? [{ ...common, path: at, peer }] : [];
	});
}
