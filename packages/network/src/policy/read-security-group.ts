import { type Family, formatCidr, parseCidr, parseIp } from '@tapestry/base';
import type { Problem } from '../api/problem.ts';
import type { SecurityGroup } from '../api/security-group.ts';
import type { Direction, NumberedProtocol, PeerFacts, SecurityGroupFacts, SecurityRuleFacts, TrafficFacts } from '../world/policies.ts';
import { sameFacts } from '../world/world.ts';
import { PolicyReader } from './read-parts.ts';

type Rule = NonNullable<SecurityGroup['spec']['ingressRules']>[number];

/** Priorities of rules without one, as Kube-OVN's webhook has them: behind all others. */
const lastPriority = 16_384;

/** What a SecurityGroup says. A rule that cannot be read is left out and told about: what only it allowed is denied. */
export function readSecurityGroup(
	group: SecurityGroup,
	exists: (name: string) => boolean,
): { readonly facts: SecurityGroupFacts; readonly problems: readonly Problem[] } {
	const { ingressRules = [], egressRules = [], allowSameGroupTraffic = false } = group.spec;
	const reader = new PolicyReader();
	const read = (rules: readonly Rule[], direction: Direction): SecurityRuleFacts[] => {
		const field = `spec.${direction}Rules`;
		const found = rules.flatMap((rule, index) => readRule(reader, rule, direction, `${field}[${index}]`, exists) ?? []);
		duplicates(reader, found);
		return found;
	};
	const rules = [...read(ingressRules, 'ingress'), ...read(egressRules, 'egress')];
	return { facts: { name: group.metadata.name, rules, allowsSameGroup: allowSameGroupTraffic }, problems: reader.problems };
}

function readRule(
	reader: PolicyReader,
	rule: Rule,
	direction: Direction,
	path: string,
	exists: (name: string) => boolean,
): SecurityRuleFacts | undefined {
	const { ipVersion, priority = lastPriority, policy, localAddress } = rule;
	const family: Family | undefined = ipVersion === undefined ? undefined : ipVersion === 'ipv6' ? 6 : 4;
	const wrong = (why: string, fix: string) => reader.problem('RuleMalformed', path, 'the rule has no effect', why, fix);
	if (policy === undefined) return wrong('it has no policy', 'set policy to allow or drop');
	if (policy === 'pass') return wrong('there are no tiers to pass to in this version', 'set policy to allow or drop');
	const local = localAddress ? block(localAddress, family) : undefined;
	if (localAddress && !local) return wrong(addressWhy(localAddress, family), "write an address or a block of the rule's ipVersion");
	const peer = readPeer(rule, family);
	if (typeof peer === 'string') return wrong(peer, "write an address or a block of the rule's ipVersion, or name a SecurityGroup");
	if (peer?.kind === 'group' && !exists(peer.group)) {
		const fix = `create SecurityGroup ${peer.group}, or name another`;
		reader.problem('RemoteGroupUnknown', path, 'the rule matches nobody', `there is no SecurityGroup ${peer.group}`, fix);
	}
	const traffic = readTraffic(reader, rule, path);
	if (traffic === undefined) return undefined;
	const action = policy === 'drop' ? 'deny' : 'allow';
	return { path, direction, action, peer, traffic: traffic === 'all' ? undefined : traffic, priority, family, local };
}

/** Undefined for anybody, a text for what is wrong. */
function readPeer({ remoteType, remoteAddress, remoteSecurityGroup }: Rule, family: Family | undefined): PeerFacts | string | undefined {
	if (remoteType === 'securityGroup') {
		return remoteSecurityGroup
			? { kind: 'group', group: remoteSecurityGroup }
			: 'remoteType is securityGroup and remoteSecurityGroup is empty';
	}
	if (!remoteAddress) return undefined;
	const address = block(remoteAddress, family);
	return address ? { kind: 'addresses', addresses: [address] } : addressWhy(remoteAddress, family);
}

function addressWhy(text: string, family: Family | undefined): string {
	return `${JSON.stringify(text)} is not an address or block${family ? ` of IPv${family}` : ''}`;
}

function block(text: string, family: Family | undefined): string | undefined {
	const cidr = parseCidr(text);
	const found = cidr ?? parseIp(text);
	if (!found || (family && found.family !== family)) return undefined;
	return cidr ? formatCidr(cidr) : text;
}

function readTraffic(reader: PolicyReader, rule: Rule, path: string): readonly TrafficFacts[] | 'all' | undefined {
	const { protocol = 'all', portRangeMin, portRangeMax, sourcePortRangeMin, sourcePortRangeMax } = rule;
	if (protocol === 'all') return 'all';
	if (protocol === 'icmp') return [{ protocol: 'icmp' }];
	const span = (min: number | undefined, max: number | undefined) =>
		min === undefined && max === undefined ? 'any' : reader.span(min ?? max ?? 0, max ?? min ?? 0, path);
	const destination = span(portRangeMin, portRangeMax);
	const source = span(sourcePortRangeMin, sourcePortRangeMax);
	if (!destination || !source) return undefined;
	const numbers = { destination: destination === 'any' ? undefined : destination, source: source === 'any' ? undefined : source };
	return [{ protocol: protocol satisfies NumberedProtocol, ...numbers }];
}

/** Two rules for the same traffic at one priority: the drop counts, and where both say the same one is idle. */
function duplicates(reader: PolicyReader, rules: readonly SecurityRuleFacts[]): void {
	const plain = ({ path: _, action: __, ...rest }: SecurityRuleFacts) => rest;
	for (const [index, rule] of rules.entries()) {
		const first = rules.slice(0, index).find((other) => sameFacts(plain(other), plain(rule)));
		if (!first) continue;
		const isSame = first.action === rule.action;
		const why = isSame ? `${first.path} says the same` : `${first.path} says the opposite at priority ${rule.priority}; the drop counts`;
		reader.problem('RuleDuplicate', rule.path, 'the rule changes nothing', why, 'remove one of the two, or give them different priorities');
	}
}
