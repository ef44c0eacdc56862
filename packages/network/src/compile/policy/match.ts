import { type Family, parseCidr, parseIp } from '@tapestry/base';
import type { Owner } from '../../plan/model.ts';
import type { Direction, PeerFacts, PortSpan, RuleFacts, SecurityRuleFacts, TrafficFacts } from '../../world/policies.ts';
import { selectorMatches } from '../../world/selector.ts';
import type { Read } from '../../world/world.ts';
import { nodePortName } from '../names.ts';
import { portNameGroup, portNameOwner, securityGroupGroup, selectorGroup } from './groups.ts';

type Side = 'src' | 'dst';

/** What a rule matches beside the ports that it is about. */
export interface RuleMatch {
	/** An expression, or undefined when the rule matches nothing. */
	readonly text: string | undefined;
	/** Owners of the groups that it names. */
	readonly needs: readonly Owner[];
}

/** Limits an expression to what the ports of a group send or receive. */
export function ofGroup(group: string, direction: Direction, match: string): string {
	return `${direction === 'egress' ? 'inport' : 'outport'} == @${group} && ${match}`;
}

export function ruleMatch(rule: RuleFacts, read: Read): RuleMatch {
	const side = rule.direction === 'egress' ? 'dst' : 'src';
	const traffic = rule.traffic && trafficMatch(rule.traffic, rule.direction, read);
	return join([rule.peer && peerMatch(rule.peer, side, read), traffic?.text], traffic?.needs);
}

export function securityRuleMatch(rule: SecurityRuleFacts, read: Read): RuleMatch {
	const side = rule.direction === 'egress' ? 'dst' : 'src';
	const local = rule.local === undefined ? undefined : addressMatch([rule.local], side === 'dst' ? 'src' : 'dst');
	const { text, needs } = ruleMatch(rule, read);
	return join([rule.family && `ip${rule.family}`, local, text === 'ip' && (rule.family || local) ? undefined : (text ?? '')], needs);
}

/** Parts are undefined when they say nothing, empty when they match nothing. */
function join(parts: readonly (string | undefined)[], needs: readonly Owner[] = []): RuleMatch {
	const said = parts.filter((part) => part !== undefined);
	if (said.includes('')) return { text: undefined, needs: [] };
	return { text: said.length === 0 ? 'ip' : said.join(' && '), needs };
}

/** An expression for the other side; empty when nobody can be it. */
function peerMatch(peer: PeerFacts, side: Side, read: Read): string {
	switch (peer.kind) {
		case 'selector':
			return setMatch(selectorGroup(peer.selector), side);
		case 'group':
			// A set that does not exist would make OVN drop the row.
			return read.get('SecurityGroup', peer.group) ? setMatch(securityGroupGroup(peer.group), side) : '';
		case 'addresses':
			return addressMatch(peer.addresses, side);
		case 'nodes':
			return addressMatch(
				read
					.list('Node', 'all', '')
					.filter((node) => selectorMatches(peer.nodes, node.labels))
					.flatMap((node) => nodeAddresses(node.name, read)),
				side,
			);
	}
}

/** All addresses that a node sends from. */
export function nodeAddresses(name: string, read: Read): readonly string[] {
	const lease = read.get('IP', nodePortName(name));
	const joined = lease?.ownerKind === 'Node' ? [lease.v4, lease.v6] : [];
	return [...(read.get('Node', name)?.addresses ?? []), ...joined.filter((ip) => ip !== undefined)];
}

export function setMatch(group: string, side: Side): string {
	return `(ip4.${side} == $${group}_ip4 || ip6.${side} == $${group}_ip6)`;
}

/** Addresses and blocks; empty for none. */
export function addressMatch(addresses: readonly string[], side: Side): string {
	const parts = ([4, 6] as const).flatMap((family) => {
		const own = addresses.filter((text) => familyOf(text) === family);
		if (own.length === 0) return [];
		return [`ip${family}.${side} == ${own.length === 1 ? own[0] : `{${own.join(', ')}}`}`];
	});
	return parts.length > 1 ? `(${parts.join(' || ')})` : (parts[0] ?? '');
}

function familyOf(text: string): Family | undefined {
	return (parseCidr(text) ?? parseIp(text))?.family;
}

function trafficMatch(traffic: readonly TrafficFacts[], direction: Direction, read: Read): RuleMatch {
	const all = traffic.flatMap((one) => ('named' in one ? namedMatches(one, direction, read) : { text: numberedMatch(one), needs: [] }));
	const texts = [...new Set(all.map(({ text }) => text))];
	return { text: texts.length > 1 ? `(${texts.join(' || ')})` : (texts[0] ?? ''), needs: all.flatMap(({ needs }) => needs) };
}

function numberedMatch(traffic: Exclude<TrafficFacts, { named: string }>): string {
	if (traffic.protocol === 'icmp') return '(icmp4 || icmp6)';
	const { protocol, destination, source } = traffic;
	const spans = [source && spanMatch(`${protocol}.src`, source), destination && spanMatch(`${protocol}.dst`, destination)];
	const said = spans.filter((span) => span !== undefined);
	return said.length > 1 ? `(${said.join(' && ')})` : (said[0] ?? protocol);
}

function spanMatch(field: string, { first, last }: PortSpan): string {
	return first === last ? `${field} == ${first}` : `${first} <= ${field} <= ${last}`;
}

/** Pods may mean different numbers by one name: each number counts for those who call it so. */
function namedMatches(
	traffic: Extract<TrafficFacts, { named: string }>,
	direction: Direction,
	read: Read,
): { text: string; needs: Owner[] }[] {
	const { protocol, named } = traffic;
	const leases = read.list('IP', 'portName', `${protocol}/${named}`);
	const numbers = leases.flatMap(({ ports }) =>
		ports.flatMap((one) => (one.name === named && one.protocol === protocol ? [one.port] : [])),
	);
	const sorted = [...new Set(numbers)].sort((a, b) => a - b);
	return sorted.map((port) => {
		const group = portNameGroup(protocol, named, port);
		const receivers = direction === 'ingress' ? `outport == @${group}` : setMatch(group, 'dst');
		return { text: `(${receivers} && ${protocol}.dst == ${port})`, needs: [portNameOwner(protocol, named, port)] };
	});
}
