import { cidrContains, parseCidr, parseIp } from '@tapestry/base';
import type {
	AdminNetworkPolicy,
	AdminPolicyPeer,
	AdminPolicyPort,
	BaselineAdminNetworkPolicy,
} from '../../../api/admin-network-policy.ts';
import type { LabelSelector } from '../../../api/common.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../../api/network-policy.ts';
import type { SecurityGroup } from '../../../api/security-group.ts';
import type { Subnet } from '../../../api/subnet.ts';

// What the kinds say, evaluated from the objects in the plainest way: no groups, no rows, no priorities of OVN. It shares nothing with the compiler.

export interface ReferencePod {
	readonly name: string;
	readonly namespace: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly groups: readonly string[];
	/** Number of the port that it calls `http`; 0 for none. */
	readonly http: number;
}

export interface Policies {
	readonly pods: readonly ReferencePod[];
	readonly policies: readonly NetworkPolicy[];
	readonly admin: readonly AdminNetworkPolicy[];
	readonly baseline: BaselineAdminNetworkPolicy | undefined;
	readonly groups: readonly SecurityGroup[];
	/** The one subnet, 10.16.0.0/16 and fd00:10:16::/112. */
	readonly subnet: Subnet;
}

export interface Packet {
	/** Index of the pod, or the world outside. */
	readonly from: number | 'outside';
	readonly to: number | 'outside';
	readonly source: string;
	readonly destination: string;
	readonly family: 4 | 6;
	readonly protocol: 'TCP' | 'UDP';
	readonly port: number;
}

type Way = 'ingress' | 'egress';

/** Labels of the namespaces n1 and n2. */
const teams: Readonly<Record<string, string>> = { n1: 'x', n2: 'y' };

/** Whether the packet passes: the sender may send and the receiver may receive. */
export function reference(all: Policies, packet: Packet): boolean {
	const sender = podOf(all, packet.from);
	const receiver = podOf(all, packet.to);
	return (!sender || mayPass(all, packet, 'egress', sender, receiver)) && (!receiver || mayPass(all, packet, 'ingress', receiver, sender));
}

function podOf(all: Policies, end: number | 'outside'): ReferencePod | undefined {
	return end === 'outside' ? undefined : all.pods[end];
}

function mayPass(all: Policies, packet: Packet, way: Way, own: ReferencePod, other: ReferencePod | undefined): boolean {
	return (
		subnetAllows(all.subnet, packet, way) && groupsAllow(all, packet, way, own, other) && kubernetesAllows(all, packet, way, own, other)
	);
}

function isIn(address: string, block: string): boolean {
	const ip = parseIp(address);
	const cidr = parseCidr(block);
	return ip !== undefined && (cidr ? cidrContains(cidr, ip) : address === block);
}

function selected(selector: LabelSelector, labels: Readonly<Record<string, string | undefined>>): boolean {
	const requirements = (selector.matchExpressions ?? []).every(({ key, values = [] }) => !values.includes(labels[key] ?? ''));
	return requirements && Object.entries(selector.matchLabels ?? {}).every(([key, value]) => value === undefined || labels[key] === value);
}

function inNamespace(selector: LabelSelector, namespace: string): boolean {
	return selected(selector, { team: teams[namespace] });
}

function subnetAllows({ spec }: Subnet, packet: Packet, way: Way): boolean {
	const { source, destination } = packet;
	const far = way === 'egress' ? destination : source;
	const own = ['10.16.0.0/16', 'fd00:10:16::/112'];
	const isPrivate = spec.private === true && ![...own, ...(spec.allowSubnets ?? [])].some((block) => isIn(far, block));
	if (isPrivate) return false;
	const acls = (spec.acls ?? []).filter(({ direction }) => direction === (way === 'egress' ? 'from-lport' : 'to-lport'));
	if (spec.allowEWTraffic && own.some((block) => isIn(far, block))) return true;
	const hits = acls.filter(({ match }) => aclMatches(match ?? '', packet));
	const best = Math.max(...hits.map(({ priority = 0 }) => priority));
	const first = hits.filter(({ priority }) => priority === best);
	return first.every(({ action }) => action === 'allow-related');
}

function aclMatches(match: string, { source, destination, protocol, port, family }: Packet): boolean {
	if (match === 'ip') return true;
	if (match === 'ip4.src == 10.16.0.2') return source === '10.16.0.2';
	if (match === 'tcp.dst == 80 && ip4') return protocol === 'TCP' && port === 80 && family === 4;
	return isIn(destination, 'fd00:10:16::/112');
}

function groupsAllow(all: Policies, packet: Packet, way: Way, own: ReferencePod, other: ReferencePod | undefined): boolean {
	if (own.groups.length === 0) return true;
	const groups = all.groups.filter(({ metadata }) => own.groups.includes(metadata.name));
	const rules = groups.flatMap(({ spec }) => (way === 'ingress' ? spec.ingressRules : spec.egressRules) ?? []);
	const far = way === 'egress' ? packet.destination : packet.source;
	const hits = rules.filter(({ ipVersion, protocol, portRangeMin, remoteType, remoteAddress, remoteSecurityGroup }) => {
		if (ipVersion !== `ipv${packet.family}`) return false;
		if (protocol !== 'all' && protocol?.toUpperCase() !== packet.protocol) return false;
		if (protocol !== 'all' && portRangeMin !== undefined && portRangeMin !== packet.port) return false;
		if (remoteType === 'securityGroup') {
			const exists = all.groups.some(({ metadata }) => metadata.name === remoteSecurityGroup);
			return exists && (other?.groups.includes(remoteSecurityGroup ?? '') ?? false);
		}
		// A rule whose address is of the other family is refused.
		return !remoteAddress || isIn(far, remoteAddress);
	});
	const best = Math.min(...hits.map(({ priority = 0 }) => priority));
	const first = hits.filter(({ priority }) => priority === best);
	if (first.length > 0) return first.every(({ policy }) => policy === 'allow');
	return groups.some(({ metadata, spec }) => spec.allowSameGroupTraffic && other?.groups.includes(metadata.name));
}

function kubernetesAllows(all: Policies, packet: Packet, way: Way, own: ReferencePod, other: ReferencePod | undefined): boolean {
	const receiver = way === 'ingress' ? own : other;
	const far = way === 'egress' ? packet.destination : packet.source;
	const admin = [...all.admin].sort((a, b) => a.spec.priority - b.spec.priority);
	const decide = (policies: readonly (AdminNetworkPolicy | BaselineAdminNetworkPolicy)[]): string | undefined => {
		for (const { spec } of policies) {
			if (!isAdminPeer(spec.subject, own, '')) continue;
			const rules =
				way === 'ingress'
					? (spec.ingress ?? []).map(({ from, ...rest }) => ({ ...rest, peers: from }))
					: (spec.egress ?? []).map(({ to, ...rest }) => ({ ...rest, peers: to }));
			for (const { action, peers, ports } of rules) {
				const isPeer = (peers as readonly AdminPolicyPeer[]).some((peer) => isAdminPeer(peer, other, far));
				if (isPeer && (ports === undefined || ports.some((port) => isAdminPort(port, packet, receiver)))) return action;
			}
		}
		return undefined;
	};
	const first = decide(admin);
	if (first === 'Allow' || first === 'Deny') return first === 'Allow';
	const isolating = all.policies.filter(({ metadata, spec }) => {
		const types = spec.policyTypes ?? ((spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
		return (
			metadata.namespace === own.namespace &&
			selected(spec.podSelector ?? {}, own.labels) &&
			types.some((type) => type.toLowerCase() === way)
		);
	});
	if (isolating.length === 0) return decide(all.baseline ? [all.baseline] : []) !== 'Deny';
	return isolating.some(({ metadata, spec }) => {
		const rules =
			way === 'ingress'
				? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
				: (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
		return rules.some(({ peers = [], ports = [] }) => {
			const isPeer = peers.length === 0 || peers.some((peer) => isNetworkPeer(peer, metadata.namespace ?? '', other, far));
			return isPeer && (ports.length === 0 || ports.some((port) => isNetworkPort(port, packet, receiver)));
		});
	});
}

function isNetworkPeer(
	{ ipBlock, podSelector, namespaceSelector }: NetworkPolicyPeer,
	home: string,
	other: ReferencePod | undefined,
	far: string,
): boolean {
	if (ipBlock) return isIn(far, ipBlock.cidr) && !(ipBlock.except ?? []).some((block) => isIn(far, block));
	if (!other) return false;
	const isHere = namespaceSelector ? inNamespace(namespaceSelector, other.namespace) : other.namespace === home;
	return isHere && selected(podSelector ?? {}, other.labels);
}

function isNetworkPort(
	{ protocol = 'TCP', port, endPort }: NetworkPolicyPort,
	packet: Packet,
	receiver: ReferencePod | undefined,
): boolean {
	if (protocol !== packet.protocol) return false;
	if (port === undefined) return true;
	if (typeof port === 'string') return receiver !== undefined && receiver.http !== 0 && receiver.http === packet.port;
	return packet.port >= port && packet.port <= (endPort ?? port);
}

function isAdminPeer({ namespaces, pods, networks }: AdminPolicyPeer, other: ReferencePod | undefined, far: string): boolean {
	if (networks) return networks.some((block) => isIn(far, block));
	if (!other) return false;
	if (namespaces) return inNamespace(namespaces, other.namespace);
	return pods !== undefined && inNamespace(pods.namespaceSelector, other.namespace) && selected(pods.podSelector, other.labels);
}

function isAdminPort({ portNumber, portRange, namedPort }: AdminPolicyPort, packet: Packet, receiver: ReferencePod | undefined): boolean {
	// The pods' http is a port of TCP.
	if (namedPort) return packet.protocol === 'TCP' && receiver !== undefined && receiver.http !== 0 && receiver.http === packet.port;
	if (portNumber) return (portNumber.protocol ?? 'TCP') === packet.protocol && portNumber.port === packet.port;
	return (
		portRange !== undefined &&
		(portRange.protocol ?? 'TCP') === packet.protocol &&
		packet.port >= portRange.start &&
		packet.port <= portRange.end
	);
}
