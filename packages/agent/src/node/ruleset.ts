import { formatIp, type IpRange } from '@tapestry/base';
import { matching, meta, payload } from '@tapestry/network';
import { chain, protocolOf, rule, table } from './nft.ts';
import type { MasqueradeRule, NodeNetwork } from './node-network.ts';
import { nodeDevice } from './node-port.ts';
import type { NodeService } from './node-services.ts';
import type { Ruleset } from './ruleset-change.ts';
import { noEndpoint, returnRule, serviceBase, serviceUnit } from './service-rules.ts';

/**
 * The node's table. Connections under way stay as they are when it changes, as conntrack holds their translation. The hooks' priorities are the numbers of
 * `dstnat` and `srcnat`. The node's own packets never meet OVN's balancers, which stand where pods send; nor do those that come from outside.
 */
export function nodeRuleset(network: Pick<NodeNetwork, 'port' | 'masquerade' | 'services'>, services: readonly NodeService[]): Ruleset {
	const base = [
		// Deleting a table that does not exist is an error; adding one that does is not.
		{ add: { table } },
		{ delete: { table } },
		{ add: { table } },
		chain('prerouting', { type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' }),
		chain('output', { type: 'nat', hook: 'output', prio: -100, policy: 'accept' }),
		chain('postrouting', { type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' }),
		...serviceBase(),
		...network.services.flatMap(unknownService),
		returnRule,
		...network.masquerade.map(leavesVpc),
		...network.port.addresses.map(({ address }) => leavesNode(address.split('/')[0] ?? '')),
	];
	return { base, units: new Map(services.map((one) => [one.name, serviceUnit(one)])) };
}

/** A cluster IP or port that no service has: it would go to and fro between the node and the VPC until its time to live is over. */
function unknownService({ family, cidr }: NodeNetwork['services'][number]): readonly object[] {
	const asked = matching(payload(protocolOf[family], 'daddr'), prefix(cidr));
	return [
		rule('prerouting', 'no such service', [matching(meta('iifname'), nodeDevice), asked, { goto: { target: noEndpoint } }]),
		rule('output', 'no such service', [asked, { goto: { target: noEndpoint } }]),
	];
}

function leavesVpc({ family, sources, inside, only }: MasqueradeRule): object {
	const protocol = protocolOf[family];
	const comment = only ? 'a rule of a subnet for what leaves the VPC' : 'what leaves the VPC gets the address of the node';
	return rule('postrouting', comment, [
		matching(payload(protocol, 'saddr'), { set: sources.map(prefix) }),
		matching(payload(protocol, 'daddr'), { set: inside.map(prefix) }, '!='),
		...(only?.sources ? [matching(payload(protocol, 'saddr'), { set: only.sources.map(range) })] : []),
		...(only?.destinations ? [matching(payload(protocol, 'daddr'), { set: only.destinations.map(range) })] : []),
		only?.action === 'forward' ? { accept: null } : { masquerade: null },
	]);
}

/** A cluster IP is routed to the VPC, which makes the kernel choose the join address as source before the endpoint, maybe elsewhere, is known. */
function leavesNode(address: string): object {
	return rule('postrouting', 'the join address is known in the VPC only', [
		matching(payload(address.includes(':') ? 'ip6' : 'ip', 'saddr'), address),
		matching(meta('oifname'), { set: [nodeDevice, 'lo'] }, '!='),
		{ masquerade: null },
	]);
}

function range({ family, first, last }: IpRange): object | string {
	const [from, to] = [first, last].map((value) => formatIp({ family, value }));
	return first === last ? (from ?? '') : { range: [from, to] };
}

function prefix(cidr: string): object {
	const [addr, len] = cidr.split('/');
	return { prefix: { addr, len: Number(len) } };
}
