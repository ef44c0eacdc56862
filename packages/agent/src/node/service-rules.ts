import { chain, match, payload, protocolOf, rule } from './nft.ts';
import { nodeDevice } from './node-port.ts';
import type { NodeService, TransportAddress } from './node-services.ts';

/** Marks connections whose answers have to come back to this node. Not kube-proxy's bit, which may run beside it. */
const returns = 0x0010_0000;

/** The chains for what nobody serves. They differ from every service's in having no slash. */
export const noEndpoint = 'no-endpoint';
const notHere = 'not-on-this-node';
const l4proto = { meta: { key: 'l4proto' } } as const;
const mark = { meta: { key: 'mark' } } as const;

/**
 * Services as this node translates them. Each port has up to four chains, named after it and after who comes: the node's own programs and, where a
 * balancer in OVN cannot choose by node, its pods go to `NAME` and `NAME/pods`; `NAME/cluster` is for who may be led anywhere, whose address is
 * replaced so that answers come back here; `NAME/outside` leads strangers to endpoints of this node, with their own address. One look-up finds the
 * chain, however many services there are.
 */
export function serviceRules(services: readonly NodeService[]): readonly object[] {
	return [
		chain(noEndpoint),
		// Kubernetes answers "connection refused" rather than silence.
		// A reset, as Linux sends ICMP errors to one address only so often, and clients would wait.
		rule(noEndpoint, 'nobody is ready to serve', [match('==', l4proto, 'tcp'), { reject: { type: 'tcp reset' } }]),
		rule(noEndpoint, 'nobody is ready to serve', [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }]),
		chain(notHere),
		// As kube-proxy: a load balancer outside is to find out that others serve.
		rule(notHere, 'others serve', [{ drop: null }]),
		...services.flatMap(chainsOf),
		...([4, 6] as const).flatMap((family) => {
			const own = services.filter((one) => one.family === family);
			return [
				...addressRule(
					'output',
					family,
					own.flatMap((one) => [...byAddress(one, one.clusterIps, inside(one)), ...byAddress(one, one.externalIps, anywhere(one))]),
				),
				...nodePortRule('output', family, own, anywhere),
				...addressRule(
					'prerouting',
					family,
					own.flatMap((one) => [
						...(isForPods(one) ? byAddress(one, one.clusterIps, pods(one)) : []),
						...byAddress(one, one.externalIps, outside(one)),
					]),
				),
				...nodePortRule('prerouting', family, own, outside),
			];
		}),
	];
}

/** The rule of `postrouting` that makes answers come back. */
export const returnRule = rule('postrouting', 'answers come back to this node', [
	match('!=', { '&': [mark, returns] }, 0),
	{ masquerade: null },
]);

const isForPods = (one: NodeService): boolean => one.internal === 'Local';
const isOpen = (one: NodeService): boolean => one.externalIps.length > 0 || one.nodePort !== undefined;
const internalEndpoints = (one: NodeService): readonly TransportAddress[] => (one.internal === 'Local' ? one.local : one.endpoints);

const inside = (one: NodeService): string => (internalEndpoints(one).length > 0 ? one.name : noEndpoint);
const pods = (one: NodeService): string => (internalEndpoints(one).length > 0 ? `${one.name}/pods` : noEndpoint);
const anywhere = (one: NodeService): string => (one.endpoints.length > 0 ? `${one.name}/cluster` : noEndpoint);
const outside = (one: NodeService): string =>
	one.external === 'Local' && one.endpoints.length > 0 ? `${one.name}/outside` : anywhere(one);

function chainsOf(one: NodeService): readonly object[] {
	const { name, endpoints, local } = one;
	const own = internalEndpoints(one);
	const chains: object[] = [];
	const add = (of: string, ...rules: readonly object[]): void => void chains.push(chain(of), ...rules);
	if (one.clusterIps.length > 0 && own.length > 0) add(name, rule(name, 'any endpoint', toOneOf(one, own)));
	if (isForPods(one) && own.length > 0)
		add(`${name}/pods`, returning(`${name}/pods`), rule(`${name}/pods`, 'an endpoint here', toOneOf(one, own)));
	if (isOpen(one) && endpoints.length > 0) {
		add(`${name}/cluster`, returning(`${name}/cluster`), rule(`${name}/cluster`, 'any endpoint', toOneOf(one, endpoints)));
		if (one.external === 'Local') {
			const here = `${name}/outside`;
			// As kube-proxy: who is in the cluster anyway may be led to every endpoint.
			const ownPods = rule(here, 'pods', [match('==', { meta: { key: 'iifname' } }, nodeDevice), { goto: { target: `${name}/cluster` } }]);
			add(here, ownPods, rule(here, 'endpoints here', local.length > 0 ? toOneOf(one, local) : [{ goto: { target: notHere } }]));
		}
	}
	return chains;
}

function returning(of: string): object {
	return rule(of, 'answers come back to this node', [{ mangle: { key: mark, value: { '|': [mark, returns] } } }]);
}

function toOneOf({ family, protocol, isSticky }: NodeService, endpoints: readonly TransportAddress[]): readonly object[] {
	const mod = endpoints.length;
	// A hash of the client's address keeps it at its endpoint without state.
	const number = isSticky
		? { jhash: { mod, offset: 0, expr: payload(protocolOf[family], 'saddr') } }
		: { numgen: { mode: 'random', mod, offset: 0 } };
	const set = endpoints.map(({ address, port }, index) => [index, { concat: [address, port] }]);
	// nft translates ports only behind a match of the transport protocol.
	return [match('==', l4proto, protocol), { dnat: { family: protocolOf[family], addr: { map: { key: number, data: { set } } } } }];
}

type Entry = readonly [key: object, verdict: object];

function byAddress({ protocol, port }: NodeService, addresses: readonly string[], target: string): Entry[] {
	return addresses.map((address) => [{ concat: [address, protocol, port] }, { goto: { target } }]);
}

function addressRule(of: string, family: 4 | 6, set: readonly Entry[]): readonly object[] {
	if (set.length === 0) return [];
	const key = { concat: [payload(protocolOf[family], 'daddr'), l4proto, payload('th', 'dport')] };
	return [rule(of, 'services by address', [{ vmap: { key, data: { set } } }])];
}

const loopback = { 4: { prefix: { addr: '127.0.0.0', len: 8 } }, 6: '::1' } as const;

function nodePortRule(
	of: string,
	family: 4 | 6,
	services: readonly NodeService[],
	target: (one: NodeService) => string,
): readonly object[] {
	const set = services.flatMap((one): Entry[] =>
		one.nodePort === undefined ? [] : [[{ concat: [one.protocol, one.nodePort] }, { goto: { target: target(one) } }]],
	);
	if (set.length === 0) return [];
	return [
		rule(of, "services at the node's own addresses", [
			// What a program asks of its own loopback does not leave it.
			match('!=', payload(protocolOf[family], 'daddr'), loopback[family]),
			match('==', { fib: { result: 'type', flags: ['daddr'] } }, 'local'),
			{ vmap: { key: { concat: [l4proto, payload('th', 'dport')] }, data: { set } } },
		]),
	];
}
