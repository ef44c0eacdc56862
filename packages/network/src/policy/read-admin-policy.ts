import {
	type AdminNetworkPolicy,
	type AdminPolicyPeer,
	type AdminPolicyPort,
	adminNetworkPolicyResource,
	type BaselineAdminNetworkPolicy,
	baselineAdminNetworkPolicyResource,
} from '../api/admin-network-policy.ts';
import { isOlder } from '../api/is-older.ts';
import type { Problem } from '../api/problem.ts';
import { aclBand } from '../compile/priorities.ts';
import type { Direction, PeerFacts, RuleFacts, TrafficFacts } from '../world/policies.ts';
import type { PolicyReading } from '../world/policy-set.ts';
import { lowerProtocol, PolicyReader } from './read-parts.ts';

/** `reading` is absent for a policy that has no effect. */
export interface AdminReading {
	readonly reading?: PolicyReading;
	readonly problems: readonly Problem[];
}

/** What an AdminNetworkPolicy says. Of two with one priority the older counts, whichever is looked at first. */
export function readAdminPolicy(policy: AdminNetworkPolicy, others: Iterable<AdminNetworkPolicy>): AdminReading {
	const { name } = policy.metadata;
	const { priority } = policy.spec;
	const what = `AdminNetworkPolicy ${name} has no effect`;
	const field = 'spec.priority';
	if (priority >= aclBand.admin.priorities) {
		const last = aclBand.admin.priorities - 1;
		const why = `its priority ${priority} is beyond ${last}, the last one there is room for`;
		return { problems: [{ reason: 'PriorityOutOfRange', field, what, why, fix: `use a priority from 0 to ${last}` }] };
	}
	const before = [...others].find(
		(other) => other.metadata.name !== policy.metadata.name && other.spec.priority === priority && isOlder(other, policy),
	);
	if (before) {
		const why = `${before.metadata.name}, which was there before, has priority ${priority} too`;
		return { problems: [{ reason: 'PriorityTaken', field, what, why, fix: 'use a priority of its own' }] };
	}
	return readPolicy(adminNetworkPolicyResource.kind, policy, priority);
}

export function readBaselinePolicy(policy: BaselineAdminNetworkPolicy): AdminReading {
	return readPolicy(baselineAdminNetworkPolicyResource.kind, policy, 0);
}

type Rule = { readonly action: string; readonly peers: readonly AdminPolicyPeer[]; readonly ports: readonly AdminPolicyPort[] | undefined };

function readPolicy(kind: string, { metadata, spec }: AdminNetworkPolicy | BaselineAdminNetworkPolicy, priority: number): AdminReading {
	const reader = new PolicyReader();
	const subject = readPods(reader, spec.subject);
	if (!subject) {
		const why = 'spec.subject has neither namespaces nor pods, or both';
		const what = `${kind} ${metadata.name} has no effect`;
		return { problems: [{ reason: 'SubjectMalformed', field: 'spec.subject', what, why, fix: 'set one of them' }] };
	}
	const ingress = (spec.ingress ?? []).map(({ action, from, ports }): Rule => ({ action, peers: from, ports }));
	const egress = (spec.egress ?? []).map(({ action, to, ports }): Rule => ({ action, peers: to, ports }));
	const all = [...readRules(reader, ingress, 'ingress'), ...readRules(reader, egress, 'egress')];
	const rules = all.slice(0, aclBand.admin.rules);
	if (all.length > rules.length) {
		const why = `it has ${all.length} pairs of a rule and a peer, and there is room for ${rules.length}`;
		reader.problem('TooManyRules', 'spec', 'the last rules have no effect', why, 'join peers by their labels, or write several policies');
	}
	const facts = { owner: `${kind}/${metadata.name}`, subject: subject.selector, isolates: [], rules, priority };
	return {
		reading: { facts, selectors: [...reader.selectors.values()], portNames: [...reader.portNames.values()] },
		problems: reader.problems,
	};
}

function readRules(reader: PolicyReader, rules: readonly Rule[], direction: Direction): RuleFacts[] {
	return rules.flatMap(({ action, peers, ports }, index) => {
		const path = `spec.${direction}[${index}]`;
		const traffic = ports?.flatMap((port, at) => readTraffic(reader, port, `${path}.ports[${at}]`));
		return peers.flatMap((one, at): RuleFacts[] => {
			const place = `${path}.${direction === 'ingress' ? 'from' : 'to'}[${at}]`;
			const peer = readPeer(reader, one, place);
			return peer ? [{ path: place, direction, action: actions[action] ?? 'deny', peer, traffic }] : [];
		});
	});
}

const actions: Readonly<Record<string, RuleFacts['action']>> = { Allow: 'allow', Deny: 'deny', Pass: 'pass' };

function readPeer(reader: PolicyReader, peer: AdminPolicyPeer, path: string): PeerFacts | undefined {
	const { nodes, networks, domainNames } = peer;
	if (nodes) return { kind: 'nodes', nodes };
	if (networks) return reader.blocks(networks, path);
	const pods = readPods(reader, peer);
	if (pods) return pods;
	const why = domainNames ? 'domainNames are not built in this version' : 'it has to have exactly one field';
	return reader.problem(domainNames ? 'NotBuilt' : 'PeerMalformed', path, 'the peer matches nobody', why, 'use labels or networks');
}

function readPods(reader: PolicyReader, { namespaces, pods }: Pick<AdminPolicyPeer, 'namespaces' | 'pods'>) {
	if ((namespaces === undefined) === (pods === undefined)) return undefined;
	const [where, which] = pods ? [pods.namespaceSelector, pods.podSelector] : [namespaces ?? {}, {}];
	return { kind: 'selector', selector: reader.selector({ namespaces: where, pods: which }) } as const;
}

function readTraffic(reader: PolicyReader, { portNumber, portRange, namedPort }: AdminPolicyPort, path: string): readonly TrafficFacts[] {
	if (namedPort !== undefined)
		return (['tcp', 'udp', 'sctp'] as const).flatMap((protocol) => reader.named(protocol, namedPort, path) ?? []);
	const [first, last] = portNumber ? [portNumber.port, portNumber.port] : [portRange?.start ?? 0, portRange?.end ?? 0];
	const destination = reader.span(first, last, path);
	const protocol = lowerProtocol(portNumber?.protocol ?? portRange?.protocol);
	return destination ? [{ protocol, destination, source: undefined }] : [];
}
