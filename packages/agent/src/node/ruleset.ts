import type { Family } from '@tapestry/base';
import type { ClusterIpPort } from './cluster-ip.ts';
import type { MasqueradeRule, NodeNetwork } from './node-network.ts';
import { nodeDevice } from './node-port.ts';

const table = { family: 'inet', name: 'tapestry-node' } as const;
/** The chain for what nobody serves. It differs from every name of a cluster IP's port in having no slash. */
const noEndpoint = 'no-endpoint';

/**
 * The node's table as one nft transaction in JSON (libnftables-json(5)): it replaces the whole table, so that what is there afterwards does not depend on
 * what was there before. Connections under way stay as they are, as conntrack holds their translation. The hooks' priorities are the numbers of
 * `dstnat` on output and `srcnat`.
 */
export function nodeRuleset(network: Pick<NodeNetwork, 'port' | 'masquerade'>, clusterIps: readonly ClusterIpPort[]): string {
	const commands = [
		// Deleting a table that does not exist is an error; adding one that does is not.
		{ add: { table } },
		{ delete: { table } },
		{ add: { table } },
		chain('output', { type: 'nat', hook: 'output', prio: -100, policy: 'accept' }),
		chain('postrouting', { type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' }),
		...serviceRules(clusterIps),
		...network.masquerade.map(leavesVpc),
		...network.port.addresses.map(({ address }) => leavesNode(address.split('/')[0] ?? '')),
	];
	return JSON.stringify({ nftables: commands });
}

/** The node's own packets never meet OVN's balancers, which stand where pods send. One look-up, however many services there are. */
function serviceRules(clusterIps: readonly ClusterIpPort[]): readonly object[] {
	const served = clusterIps.filter(({ endpoints }) => endpoints.length > 0);
	return [
		chain(noEndpoint),
		// Kubernetes answers "connection refused" rather than silence.
		rule(noEndpoint, 'nobody is ready to serve', [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }]),
		...served.map(({ name }) => chain(name)),
		...served.map((one) => rule(one.name, 'any endpoint', toAnyEndpoint(one))),
		...([4, 6] as const).flatMap((family) => {
			const entries = clusterIps.filter((one) => one.family === family);
			return entries.length === 0 ? [] : [rule('output', 'services for the node itself', [dispatch(family, entries)])];
		}),
	];
}

function dispatch(family: Family, entries: readonly ClusterIpPort[]): object {
	const key = { concat: [payload(protocolOf[family], 'daddr'), l4proto, payload('th', 'dport')] };
	const set = entries.map(({ address, protocol, port, name, endpoints }) => [
		{ concat: [address, protocol, port] },
		{ goto: { target: endpoints.length > 0 ? name : noEndpoint } },
	]);
	return { vmap: { key, data: { set } } };
}

function toAnyEndpoint({ family, protocol, endpoints }: ClusterIpPort): readonly object[] {
	const key = { numgen: { mode: 'random', mod: endpoints.length, offset: 0 } };
	const set = endpoints.map(({ address, port }, index) => [index, { concat: [address, port] }]);
	// nft translates ports only behind a match of the transport protocol.
	return [match('==', l4proto, protocol), { dnat: { family: protocolOf[family], addr: { map: { key, data: { set } } } } }];
}

function leavesVpc({ family, sources, inside }: MasqueradeRule): object {
	const protocol = protocolOf[family];
	return rule('postrouting', 'what leaves the VPC gets the address of the node', [
		match('==', payload(protocol, 'saddr'), { set: sources.map(prefix) }),
		match('!=', payload(protocol, 'daddr'), { set: inside.map(prefix) }),
		{ masquerade: null },
	]);
}

/** A cluster IP is routed to the VPC, which makes the kernel choose the join address as source before the endpoint, maybe elsewhere, is known. */
function leavesNode(address: string): object {
	return rule('postrouting', 'the join address is known in the VPC only', [
		match('==', payload(address.includes(':') ? 'ip6' : 'ip', 'saddr'), address),
		match('!=', { meta: { key: 'oifname' } }, { set: [nodeDevice, 'lo'] }),
		{ masquerade: null },
	]);
}

const protocolOf = { 4: 'ip', 6: 'ip6' } as const;
const l4proto = { meta: { key: 'l4proto' } } as const;

const chain = (name: string, base: object = {}): object => ({ add: { chain: { family: table.family, table: table.name, name, ...base } } });
const rule = (of: string, comment: string, expr: readonly object[]): object => ({
	add: { rule: { family: table.family, table: table.name, chain: of, comment, expr } },
});
const match = (op: '==' | '!=', left: object, right: unknown): object => ({ match: { op, left, right } });
const payload = (protocol: string, field: string): object => ({ payload: { protocol, field } });

function prefix(cidr: string): object {
	const [addr, len] = cidr.split('/');
	return { prefix: { addr, len: Number(len) } };
}
