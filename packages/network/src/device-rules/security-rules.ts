import { matching, type NftMatch, payload } from '../nft-expressions.ts';
import { asNumber, drop, isFamily, type NftRule, neighbourTarget } from './nft-rule.ts';

/** Port security of ovn-nb(5): frames from the port's own MAC and addresses only, ARP and neighbour discovery included. */
export function securityRules(security: readonly string[]): readonly NftRule[] {
	const entries = security.map((text) => text.trim().split(/\s+/));
	const macs = entries.flatMap(([mac]) => (mac === undefined ? [] : [mac.toLowerCase()]));
	if (macs.length === 0) return [];
	const ips = entries.flatMap(([, ...rest]) => rest.map((ip) => ip.split('/')[0] ?? ip));
	const isOwnMac = (left: object): NftMatch => matching(left, { set: macs }, '!=');
	const rules = [
		[isOwnMac(payload('ether', 'saddr')), drop],
		[isOwnMac(payload('arp', 'saddr ether')), drop],
	];
	if (ips.length === 0) return rules;
	const v4 = ['0.0.0.0', ...ips.filter((ip) => !ip.includes(':'))];
	const v6 = [...ips.filter((ip) => ip.includes(':')), ...macs.map(linkLocal)];
	return [
		...rules,
		[matching(payload('arp', 'saddr ip'), { set: v4 }, '!='), drop],
		[isFamily('ip'), matching(payload('ip', 'saddr'), { set: v4 }, '!='), drop],
		[isFamily('ip6'), matching(payload('ip6', 'saddr'), { set: ['::', ...v6] }, '!='), drop],
		[matching(payload('icmpv6', 'type'), 136), matching(neighbourTarget, { set: v6.map(asNumber) }, '!='), drop],
	];
}

/** The address that a device makes of its MAC (RFC 4291 appendix A). */
export function linkLocal(mac: string): string {
	const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
	const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
	const words = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
	return `fe80::${words.map((word) => word.toString(16)).join(':')}`;
}
