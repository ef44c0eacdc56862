import { matching, meta, type NftMatch, payload } from '../nft-expressions.ts';
import { aclRules, chainOf } from './acl-rules.ts';
import { answerRules, memorySets, remember } from './memory.ts';
import { accept, asNumber, deviceTable, drop, goto, inTable, isFamily, jump, type NftRule, neighbourTarget } from './nft-rule.ts';
import type { PortRules } from './port-rules.ts';
import { securityRules } from './security-rules.ts';

/** The guest's device and who answers its DHCP, all in one network namespace. */
export interface DevicePlace {
	/** The guest's macvtap. */
	readonly device: string;
	readonly server: AddressServer;
}

/** A program in the guest's namespace that gives it its addresses. */
export interface AddressServer {
	/** Its interface, which is one end of a veth, and the other end. */
	readonly device: string;
	readonly outer: string;
	readonly mac: string;
	readonly v4: string;
	/** Its link-local address. */
	readonly v6: string;
}

/** On packets of the address server, which nobody outside of the namespace can put on. */
const serverMark = 0x7461;
/**
 * What keeps a port's rules at a device past the switch, as one transaction (libnftables-json(5)) in the place of all that was there. Without rules only
 * the address server and the guest hear of each other.
 *
 * Hooks of a device have no connection tracking. So that replies pass (`allow-related`), a packet that a rule lets pass is remembered by its addresses,
 * protocol and ports, and the opposite passes for a while. Packets of the direction that asked are always looked at by the rules.
 */
export function deviceRuleset(rules: PortRules | undefined, place: DevicePlace): readonly object[] {
	const chains = chainsOf(rules, place);
	return [
		{ add: { table: deviceTable } },
		{ delete: { table: deviceTable } },
		{ add: { table: deviceTable } },
		...memorySets(),
		...chains.map(({ name, base }) => ({ add: { chain: { ...inTable, name, ...base } } })),
		...chains.flatMap(filled),
	];
}

/** As `deviceRuleset`, where there is one: what is remembered of connections stays. */
export function deviceRulesetChange(rules: PortRules | undefined, place: DevicePlace): readonly object[] {
	const chains = chainsOf(rules, place);
	return [...chains.map(({ name }) => ({ flush: { chain: { ...inTable, name } } })), ...chains.flatMap(filled)];
}

interface Chain {
	readonly name: string;
	readonly base?: object;
	readonly rules: readonly NftRule[];
}

const filled = ({ name, rules }: Chain): readonly object[] => rules.map((expr) => ({ add: { rule: { ...inTable, chain: name, expr } } }));

function chainsOf(rules: PortRules | undefined, { device, server }: DevicePlace): readonly Chain[] {
	const base = (hook: 'ingress' | 'egress', dev: string): object => ({ type: 'filter', hook, dev, prio: 0, policy: 'drop' });
	return [
		{ name: 'remember_heard', rules: remember('heard') },
		{ name: 'remember_asked', rules: remember('asked') },
		// Before those that lead to them.
		...(['received', 'sent_late', 'sent'] as const).map((stage) => ({
			name: chainOf(stage),
			rules: rules ? aclRules(rules, stage) : [[drop]],
		})),
		{ name: 'secured', rules: rules ? securityRules(rules.security) : [] },
		{ name: 'served', base: base('egress', server.device), rules: serverRules() },
		{ name: 'received', base: base('ingress', device), rules: receivedRules() },
		{ name: 'sent', base: base('egress', device), rules: sentRules(server) },
	];
}

const neighbourTypes = { set: [135, 136] };
const isNeighbour: NftMatch = matching(payload('icmpv6', 'type'), neighbourTypes);
const isArp: NftMatch = isFamily('arp');
const dport = (protocol: string, port: number): NftMatch => matching(payload(protocol, 'dport'), port);

/** The network's own DHCP servers and routers are not the guest's: its addresses are those of its lease. */
function receivedRules(): readonly NftRule[] {
	return [
		[matching(meta('mark'), serverMark), accept],
		[isFamily('ip'), dport('udp', 68), drop],
		[isFamily('ip6'), dport('udp', 546), drop],
		[matching(payload('icmpv6', 'type'), { set: [134, 137] }), drop],
		[isArp, accept],
		[isNeighbour, accept],
		...answerRules('asked'),
		[goto(chainOf('received'))],
	];
}

/** What the guest asks of the address server never leaves the namespace. */
function sentRules({ outer, mac, v4, v6 }: AddressServer): readonly NftRule[] {
	const toServer = { fwd: { dev: outer } };
	return [
		[matching(payload('ether', 'daddr'), mac), toServer],
		[isFamily('ip'), dport('udp', 67), { mangle: { key: payload('ether', 'daddr'), value: mac } }, toServer],
		[isArp, matching(payload('arp', 'daddr ip'), v4), toServer],
		[isFamily('ip6'), dport('udp', 547), toServer],
		[matching(payload('icmpv6', 'type'), 133), toServer],
		[matching(payload('icmpv6', 'type'), 135), matching(neighbourTarget, asNumber(v6)), toServer],
		[jump('secured')],
		[isArp, accept],
		[isNeighbour, accept],
		...answerRules('heard'),
		[goto(chainOf('sent'))],
	];
}

/** Of what the kernel behind the server's interface says, the guest is to hear nothing else. */
function serverRules(): readonly NftRule[] {
	const mark = { mangle: { key: meta('mark'), value: serverMark } };
	return [
		[isArp, mark, accept],
		[isFamily('ip'), matching(payload('udp', 'sport'), 67), mark, accept],
		[isFamily('ip6'), matching(payload('udp', 'sport'), 547), mark, accept],
		[matching(payload('icmpv6', 'type'), { set: [134, 135, 136] }), mark, accept],
	];
}
