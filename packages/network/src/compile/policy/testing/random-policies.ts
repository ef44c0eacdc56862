import { parseIp } from '@tapestry/base';
import fc from 'fast-check';
import type { AdminNetworkPolicy, BaselineAdminNetworkPolicy } from '../../../api/admin-network-policy.ts';
import type { NetworkPolicy } from '../../../api/network-policy.ts';
import type { SecurityGroup } from '../../../api/security-group.ts';
import type { Subnet } from '../../../api/subnet.ts';
import type { PacketFields } from '../../../match/evaluate.ts';
import { readAdminPolicy, readBaselinePolicy, readNetworkPolicy, readSecurityGroup, subnetRules } from '../../../policy/index.ts';
import { PolicySet } from '../../../world/policy-set.ts';
import type { World } from '../../../world/world.ts';
import { defaultWorld, lease, subnet } from '../../testing/worlds.ts';
import type { Packet, Policies } from './reference.ts';

const labels = fc.constantFrom<Readonly<Record<string, string>>>({ app: 'a' }, { app: 'b' }, {});
const selector = labels.map((matchLabels) => ({ matchLabels }));
const namespaceSelector = fc.constantFrom(
	{},
	{ matchLabels: { team: 'x' } },
	{ matchExpressions: [{ key: 'team', operator: 'NotIn' as const, values: ['x'] }] },
);
const blocks = fc.constantFrom('10.16.0.0/16', '10.16.0.2/32', '1.0.0.0/8', 'fd00:10:16::/112', '::/0', '0.0.0.0/0');

const port = fc.oneof(
	fc.record({ protocol: fc.constantFrom('TCP', 'UDP'), port: fc.constantFrom(80, 443) } as const),
	fc.constant({ port: 80, endPort: 443 } as const),
	fc.constant({ port: 'http' } as const),
	fc.constant({ protocol: 'UDP' } as const),
);
const peer = fc.oneof(
	fc.record({ podSelector: selector }),
	fc.record({ namespaceSelector }),
	fc.record({ namespaceSelector, podSelector: selector }),
	fc.record({ ipBlock: fc.record({ cidr: fc.constant('0.0.0.0/0'), except: fc.subarray(['10.16.0.0/30', '1.2.0.0/16']) }) }),
	fc.record({ ipBlock: fc.record({ cidr: blocks }) }),
);
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 2 });
const networkPolicy = fc.record({
	namespace: fc.constantFrom('n1', 'n2'),
	podSelector: selector,
	policyTypes: fc.constantFrom(undefined, ['Ingress'], ['Egress'], ['Ingress', 'Egress']),
	ingress: few(fc.record({ from: few(peer), ports: few(port) })),
	egress: few(fc.record({ to: few(peer), ports: few(port) })),
});

const adminPods = fc.oneof(
	namespaceSelector.map((namespaces) => ({ namespaces })),
	fc.record({ pods: fc.record({ namespaceSelector, podSelector: selector }) }),
);
const adminPort = fc.constantFrom(
	{ portNumber: { protocol: 'TCP', port: 80 } } as const,
	{ portRange: { protocol: 'UDP', start: 80, end: 443 } } as const,
	{ namedPort: 'http' } as const,
);
const adminPorts = fc.option(fc.array(adminPort, { minLength: 1, maxLength: 2 }), { nil: undefined });
const adminRules = <A extends string>(...actions: A[]) => ({
	subject: adminPods,
	ingress: few(
		fc.record({ action: fc.constantFrom(...actions), from: fc.array(adminPods, { minLength: 1, maxLength: 2 }), ports: adminPorts }),
	),
	egress: few(
		fc.record({
			action: fc.constantFrom(...actions),
			to: fc.array(fc.oneof(adminPods, fc.record({ networks: fc.array(blocks, { minLength: 1, maxLength: 2 }) })), {
				minLength: 1,
				maxLength: 2,
			}),
			ports: adminPorts,
		}),
	),
});

const securityRule = fc.record({
	ipVersion: fc.constantFrom('ipv4', 'ipv6'),
	protocol: fc.constantFrom('all', 'tcp', 'udp'),
	priority: fc.integer({ min: 1, max: 3 }),
	policy: fc.constantFrom('allow', 'drop'),
	remote: fc.constantFrom('', 'group:g1', 'group:g2', 'group:gone', '10.16.0.2', '1.0.0.0/8', 'fd00:10:16::/112'),
	ports: fc.constantFrom(undefined, 80),
});
const securityGroup = fc.record({ ingress: few(securityRule), egress: few(securityRule), same: fc.boolean() });

const acl = fc.record({
	direction: fc.constantFrom('from-lport', 'to-lport'),
	priority: fc.integer({ min: 1, max: 3 }),
	match: fc.constantFrom('ip', 'ip4.src == 10.16.0.2', 'tcp.dst == 80 && ip4', 'ip6.dst == fd00:10:16::/112'),
	action: fc.constantFrom('allow-related', 'drop', 'reject'),
});

/** Pods 0 to 3 by labels, namespaces n1 and n2 and groups. */
const pods = fc.array(
	fc.record({
		namespace: fc.constantFrom('n1', 'n2'),
		labels,
		groups: fc.subarray(['g1', 'g2', 'gone']),
		http: fc.constantFrom(80, 443, 0),
	}),
	{
		minLength: 3,
		maxLength: 3,
	},
);
/** Everything that rules, at random. */
const cluster = fc.record({
	pods,
	policies: fc.array(networkPolicy, { maxLength: 3 }),
	admin: fc.uniqueArray(fc.record({ priority: fc.integer({ min: 0, max: 2 }), ...adminRules('Allow', 'Deny', 'Pass') }), {
		maxLength: 2,
		selector: ({ priority }) => priority,
	}),
	baseline: fc.option(fc.record(adminRules('Allow', 'Deny')), { nil: undefined }),
	groups: fc.record({ g1: securityGroup, g2: securityGroup }),
	withGroups: fc.boolean(),
	subnet: fc.record({
		acls: fc.oneof(fc.constant([]), fc.array(acl, { maxLength: 3 })),
		allowEWTraffic: fc.boolean(),
		private: fc.constantFrom(false, false, true),
		allowSubnets: fc.subarray(['1.0.0.0/8']),
	}),
});
type Cluster = typeof cluster extends fc.Arbitrary<infer T> ? T : never;

function policiesOf(one: Cluster): Policies {
	const rules = (list: Cluster['groups']['g1']['ingress']): SecurityGroup['spec']['ingressRules'] =>
		list.map(({ remote, ports, ...rest }) => ({
			...rest,
			...(remote.startsWith('group:')
				? { remoteType: 'securityGroup', remoteSecurityGroup: remote.slice(6) }
				: { remoteType: 'address', remoteAddress: remote }),
			...(ports === undefined ? {} : { portRangeMin: ports, portRangeMax: ports }),
		})) as SecurityGroup['spec']['ingressRules'];
	return {
		pods: one.pods.map((pod, index) => ({ ...pod, name: `p${index}`, groups: one.withGroups ? pod.groups : [] })),
		policies: one.policies.map(({ namespace, policyTypes, ...spec }, index) => ({
			metadata: { name: `np${index}`, namespace },
			spec: { ...spec, ...(policyTypes ? { policyTypes } : {}) },
		})) as NetworkPolicy[],
		admin: one.admin.map((spec, index) => ({ metadata: { name: `anp${index}` }, spec })) as AdminNetworkPolicy[],
		baseline: one.baseline && ({ metadata: { name: 'default' }, spec: one.baseline } as BaselineAdminNetworkPolicy),
		groups: Object.entries(one.groups).map(([name, { ingress, egress, same }]) => ({
			metadata: { name },
			spec: { ingressRules: rules(ingress) ?? [], egressRules: rules(egress) ?? [], allowSameGroupTraffic: same },
		})),
		subnet: { metadata: { name: 'ovn-default' }, spec: one.subnet } as unknown as Subnet,
	};
}

/** Clusters whose three pods have policies of all kinds. */
export const anyPolicies: fc.Arbitrary<Policies> = cluster.map(policiesOf);

const address = (index: number, family: 4 | 6): string => (family === 4 ? `10.16.0.${index + 2}` : `fd00:10:16::${index + 2}`);

/** The world of such a cluster, on one node. */
export function worldOf(all: Policies): World {
	const world = defaultWorld(1);
	for (const [name, team] of [
		['n1', 'x'],
		['n2', 'y'],
	] as const)
		world.set('Namespace', name, { name, labels: { team } });
	const { acls, allowsEastWest, privateTo } = subnetRules(all.subnet);
	world.set('Subnet', 'ovn-default', subnet('ovn-default', { acls, allowsEastWest, privateTo }));
	const set = new PolicySet(world);
	for (const policy of all.policies)
		set.set('NetworkPolicy', `${policy.metadata.namespace}/${policy.metadata.name}`, readNetworkPolicy(policy).reading);
	for (const policy of all.admin) set.set('AdminNetworkPolicy', policy.metadata.name, readAdminPolicy(policy, all.admin).reading);
	if (all.baseline) set.set('BaselineAdminNetworkPolicy', 'default', readBaselinePolicy(all.baseline).reading);
	const exists = (name: string) => all.groups.some(({ metadata }) => metadata.name === name);
	for (const group of all.groups) world.set('SecurityGroup', group.metadata.name, readSecurityGroup(group, exists).facts);
	for (const [index, pod] of all.pods.entries()) {
		const addresses = { v4: address(index, 4), v6: address(index, 6) };
		const ports = pod.http === 0 ? [] : [{ name: 'http', protocol: 'tcp' as const, port: pod.http }];
		world.set(
			'IP',
			pod.name,
			lease(pod.name, { ...addresses, namespace: pod.namespace, labels: pod.labels, ports, securityGroups: [...pod.groups].sort() }),
		);
	}
	return world;
}

function fieldsOf({ source, destination, family, protocol, port: number }: Packet): PacketFields {
	const value = (text: string) => parseIp(text)?.value ?? 0n;
	return {
		'eth.type': family === 4 ? 0x800n : 0x86ddn,
		'ip.proto': protocol === 'TCP' ? 6n : 17n,
		[`ip${family}.src`]: value(source),
		[`ip${family}.dst`]: value(destination),
		[`${protocol.toLowerCase()}.src`]: 40_000n,
		[`${protocol.toLowerCase()}.dst`]: BigInt(number),
	};
}

/** A packet, and what it is as fields. */
export interface TestPacket {
	readonly packet: Packet;
	readonly fields: PacketFields;
	/** Names of the ports at its ends; undefined outside. */
	readonly from: string | undefined;
	readonly to: string | undefined;
}

/** First packets from everywhere to everywhere. */
export function* packets(): Generator<TestPacket> {
	const name = (end: Packet['from']) => (end === 'outside' ? undefined : `p${end}`);
	for (const from of [0, 1, 2, 'outside'] as const) {
		for (const to of [0, 1, 2, 'outside'] as const) {
			if (from === to) continue;
			for (const family of [4, 6] as const) {
				const ip = (end: number | 'outside') => (end === 'outside' ? (family === 4 ? '1.2.3.4' : '2001:db8::1') : address(end, family));
				for (const protocol of ['TCP', 'UDP'] as const) {
					for (const port of [80, 443, 22]) {
						const packet: Packet = { from, to, source: ip(from), destination: ip(to), family, protocol, port };
						yield { packet, fields: fieldsOf(packet), from: name(from), to: name(to) };
					}
				}
			}
		}
	}
}
