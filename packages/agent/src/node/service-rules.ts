import type { Family } from '@tapestry/base';
import { matching, meta, payload } from '@tapestry/network';
import { chain, protocolOf, rule, table } from './nft.ts';
import { nodeDevice } from './node-port.ts';
import type { NodeService, TransportAddress } from './node-services.ts';
import type { RuleElement, RuleUnit } from './ruleset-change.ts';

/** Marks connections whose answers have to come back to this node. Not kube-proxy's bit, which may run beside it. */
const returns = 0x0010_0000;

/** The chains for what nobody serves. They differ from every service's in having no slash. */
export const noEndpoint = 'no-endpoint';
const notHere = 'not-on-this-node';
const l4proto = meta('l4proto');
const mark = meta('mark');

/** The verdict maps that a hook looks services up in: by address, and by port at the node's own addresses. */
const mapName = (hook: Hook, what: 'addresses' | 'ports', family: Family): string => `${hook}-${what}-ipv${family}`;
type Hook = 'output' | 'prerouting';

/** What all services share: the refusals, and the look-ups that find a service's chain, however many there are. */
export function serviceBase(): readonly object[] {
	return [
		chain(noEndpoint),
		// Kubernetes answers "connection refused" rather than silence. A reset, as Linux sends ICMP errors to one address only so often, and clients would wait.
		rule(noEndpoint, 'nobody is ready to serve', [matching(l4proto, 'tcp'), { reject: { type: 'tcp reset' } }]),
		rule(noEndpoint, 'nobody is ready to serve', [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }]),
		chain(notHere),
		// As kube-proxy: a load balancer outside is to find out that others serve.
		rule(notHere, 'others serve', [{ drop: null }]),
		...(['output', 'prerouting'] as const).flatMap((hook) =>
			([4, 6] as const).flatMap((family) => [...addressLookUp(hook, family), ...portLookUp(hook, family)]),
		),
	];
}

/**
 * A service as this node translates it. Each port has up to four chains, named after it and after who comes: the node's own programs and, where a
 * balancer in OVN cannot choose by node, its pods go to `NAME` and `NAME/pods`; `NAME/cluster` is for who may be led anywhere, whose address is
 * replaced so that answers come back here; `NAME/outside` leads strangers to endpoints of this node, with their own address.
 */
export function serviceUnit(one: NodeService): RuleUnit {
	return {
		chains: chainsOf(one),
		elements: [
			...byAddress('output', one, one.clusterIps, inside(one)),
			...byAddress('output', one, one.externalIps, anywhere(one)),
			...byPort('output', one, anywhere(one)),
			...(isForPods(one) ? byAddress('prerouting', one, one.clusterIps, pods(one)) : []),
			...byAddress('prerouting', one, one.externalIps, outside(one)),
			...byPort('prerouting', one, outside(one)),
		],
	};
}

/** The rule of `postrouting` that makes answers come back. */
export const returnRule = rule('postrouting', 'answers come back to this node', [
	matching({ '&': [mark, returns] }, 0, '!='),
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

function chainsOf(one: NodeService): ReadonlyMap<string, readonly object[]> {
	const { name, endpoints, local } = one;
	const own = internalEndpoints(one);
	const chains = new Map<string, readonly object[]>();
	if (one.clusterIps.length > 0 && own.length > 0) chains.set(name, [rule(name, 'any endpoint', toOneOf(one, own))]);
	if (isForPods(one) && own.length > 0) {
		const here = `${name}/pods`;
		chains.set(here, [returning(here), rule(here, 'an endpoint here', toOneOf(one, own))]);
	}
	if (isOpen(one) && endpoints.length > 0) {
		const all = `${name}/cluster`;
		chains.set(all, [returning(all), rule(all, 'any endpoint', toOneOf(one, endpoints))]);
		if (one.external === 'Local') {
			const here = `${name}/outside`;
			// As kube-proxy: who is in the cluster anyway may be led to every endpoint.
			const ownPods = rule(here, 'pods', [matching(meta('iifname'), nodeDevice), { goto: { target: all } }]);
			chains.set(here, [ownPods, rule(here, 'endpoints here', local.length > 0 ? toOneOf(one, local) : [{ goto: { target: notHere } }])]);
		}
	}
	return chains;
}

function returning(of: string): object {
	return rule(of, 'answers come back to this node', [{ mangle: { key: mark, value: { '|': [mark, returns] } } }]);
}

function toOneOf({ family, protocol, isSticky }: NodeService, endpoints: readonly TransportAddress[]): readonly object[] {
	const mod = endpoints.length;
	// nft translates ports only behind a match of the transport protocol.
	const ofProtocol = matching(l4proto, protocol);
	const [only] = endpoints;
	// A map costs the kernel much more than a rule.
	if (only && mod === 1) return [ofProtocol, { dnat: { family: protocolOf[family], addr: only.address, port: only.port } }];
	// A hash of the client's address keeps it at its endpoint without state.
	const number = isSticky
		? { jhash: { mod, offset: 0, expr: payload(protocolOf[family], 'saddr') } }
		: { numgen: { mode: 'random', mod, offset: 0 } };
	const set = endpoints.map(({ address, port }, index) => [index, { concat: [address, port] }]);
	return [ofProtocol, { dnat: { family: protocolOf[family], addr: { map: { key: number, data: { set } } } } }];
}

function byAddress(hook: Hook, { family, protocol, port }: NodeService, addresses: readonly string[], target: string): RuleElement[] {
	return addresses.map((address) => ({ map: mapName(hook, 'addresses', family), key: { concat: [address, protocol, port] }, target }));
}

function byPort(hook: Hook, { family, protocol, nodePort }: NodeService, target: string): RuleElement[] {
	return nodePort === undefined ? [] : [{ map: mapName(hook, 'ports', family), key: { concat: [protocol, nodePort] }, target }];
}

function addressLookUp(hook: Hook, family: Family): readonly object[] {
	const name = mapName(hook, 'addresses', family);
	const key = { concat: [payload(protocolOf[family], 'daddr'), l4proto, payload('th', 'dport')] };
	const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
	return [
		verdictMap(name, [address, 'inet_proto', 'inet_service']),
		rule(hook, 'services by address', [{ vmap: { key, data: `@${name}` } }]),
	];
}

const loopback = { 4: { prefix: { addr: '127.0.0.0', len: 8 } }, 6: '::1' } as const;

function portLookUp(hook: Hook, family: Family): readonly object[] {
	const name = mapName(hook, 'ports', family);
	return [
		verdictMap(name, ['inet_proto', 'inet_service']),
		rule(hook, "services at the node's own addresses", [
			// What a program asks of its own loopback does not leave it.
			matching(payload(protocolOf[family], 'daddr'), loopback[family], '!='),
			matching({ fib: { result: 'type', flags: ['daddr'] } }, 'local'),
			{ vmap: { key: { concat: [l4proto, payload('th', 'dport')] }, data: `@${name}` } },
		]),
	];
}

const verdictMap = (name: string, type: readonly string[]): object => ({
	add: { map: { family: table.family, table: table.name, name, type, map: 'verdict' } },
});
