import { type Cidr, type Ip, isCoded, parseCidr, parseIp } from '@tapestry/base';
import { parseMatch } from '../match/parse.ts';
import type { Problem } from './problem.ts';
import { splitList } from './subnet-addressing.ts';
import type { Vpc, VpcSpec } from './vpc.ts';

export interface StaticRoute {
	readonly cidr: string;
	readonly nextHop: string;
	readonly policy: 'dst-ip' | 'src-ip';
	readonly table: string;
	/** Whether replies leave by the next hop that the request came from. */
	readonly isSymmetric: boolean;
	/** Where it is written, such as `spec.staticRoutes[0]`. */
	readonly path?: string;
}

export interface PolicyRoute {
	readonly priority: number;
	readonly match: string;
	readonly action: 'allow' | 'drop' | 'reroute';
	/** Of `reroute`; several share the traffic. */
	readonly nextHops: readonly string[];
	/** Where it is written, such as `spec.policyRoutes[0]`. */
	readonly path?: string;
}

/** One side of a link between two VPCs. */
export interface Peering {
	readonly remote: string;
	/** This side's addresses with their prefixes, one for each family. */
	readonly networks: readonly string[];
}

/** What was read of a list: the entries that can be used, and what is wrong with the others. */
export interface ReadList<T> {
	readonly values: readonly T[];
	readonly problems: readonly Problem[];
}

type Route = NonNullable<VpcSpec['staticRoutes']>[number];
type Policy = NonNullable<VpcSpec['policyRoutes']>[number];
type Link = NonNullable<VpcSpec['vpcPeerings']>[number];
type Entry<T> = { readonly value: T; readonly key: string } | Problem;

const symmetric = 'ecmp_symmetric_reply';

/** Routes with one destination share the traffic when they say `ecmpMode`; otherwise the first counts. */
export function readStaticRoutes({ spec: { staticRoutes = [] } }: Vpc): ReadList<StaticRoute> {
	return readList(staticRoutes, 'staticRoutes', readRoute, (key, field) => ({
		reason: 'RouteDuplicate',
		field,
		what: `a second static route for ${key.split('|')[0]} is not made`,
		why: 'an earlier entry has the same cidr, and they do not say that they share the traffic',
		fix: 'set ecmpMode: ecmp on each of them, or remove one',
	}));
}

export function readPolicyRoutes({ spec: { policyRoutes = [] } }: Vpc): ReadList<PolicyRoute> {
	return readList(policyRoutes, 'policyRoutes', readPolicy, (key, field) => ({
		reason: 'RouteDuplicate',
		field,
		what: `a second policy route with priority and match ${key} is not made`,
		why: 'which of the two counts would be left to chance',
		fix: 'give them different priorities, or remove one',
	}));
}

export function readPeerings(vpc: Vpc): ReadList<Peering> {
	const { vpcPeerings = [] } = vpc.spec;
	return readList(
		vpcPeerings,
		'vpcPeerings',
		(link, field) => readPeering(vpc.metadata.name, link, field),
		(remote, field) => ({
			reason: 'PeeringDuplicate',
			field,
			what: `a second link to VPC ${remote} is not made`,
			why: 'an earlier entry names the same remoteVpc',
			fix: 'remove one of the two',
		}),
	);
}

/** The block and this side's address of an entry of `Peering.networks`. */
export function readNetwork(text: string): { readonly address: Ip; readonly cidr: Cidr } | undefined {
	const address = parseIp(text.split('/')[0] ?? '');
	const cidr = parseCidr(text);
	return address && cidr ? { address, cidr } : undefined;
}

function readList<S, T>(
	items: readonly S[],
	list: string,
	read: (item: S, field: string) => Entry<T>,
	duplicate: (key: string, field: string) => Problem,
): ReadList<T> {
	const values = new Map<string, T>();
	const problems: Problem[] = [];
	for (const [index, item] of items.entries()) {
		const field = `spec.${list}[${index}]`;
		const entry = read(item, field);
		if ('reason' in entry) problems.push(entry);
		else if (values.has(entry.key)) problems.push(duplicate(entry.key, field));
		else values.set(entry.key, entry.value);
	}
	return { values: [...values.values()], problems };
}

function readRoute({ cidr = '', nextHopIP = '', policy, routeTable = '', ecmpMode = '' }: Route, field: string): Entry<StaticRoute> {
	const what = `the static route to ${JSON.stringify(cidr)} is not made`;
	const family = parseCidr(cidr)?.family ?? parseIp(cidr)?.family;
	const hop = parseIp(nextHopIP);
	if (!family) return malformed(field, what, 'its cidr is not a block of addresses', 'write it like 0.0.0.0/0');
	if (!hop) return malformed(field, what, `its next hop ${JSON.stringify(nextHopIP)} is not an address`, 'write it like 10.0.1.5');
	if (hop.family !== family) {
		return malformed(field, what, `its next hop ${nextHopIP} is not of its family`, `set nextHopIP to an IPv${family} address`);
	}
	const direction = policy === 'policySrc' ? 'src-ip' : 'dst-ip';
	const value = {
		cidr,
		nextHop: nextHopIP,
		policy: direction,
		table: routeTable,
		isSymmetric: ecmpMode === symmetric,
		path: field,
	} as const;
	// Routes that share the traffic differ in their next hop.
	return { value, key: [cidr, direction, routeTable, ...(ecmpMode === '' ? [] : [nextHopIP])].join('|') };
}

const highestPriority = 32_767;

function readPolicy({ priority = 0, match = '', action = 'allow', nextHopIP }: Policy, field: string): Entry<PolicyRoute> {
	const what = `the policy route ${JSON.stringify(match)} is not made`;
	if (!Number.isInteger(priority) || priority < 0 || priority > highestPriority) {
		return malformed(field, what, `its priority ${priority} is out of range`, `use a number from 0 to ${highestPriority}`);
	}
	if (match === '') return malformed(field, what, 'it has no match', 'write one like ip4.src == 10.0.1.5');
	const why = whyNotMatch(match);
	if (why !== undefined) return malformed(field, what, why, 'write it as in ovn-sb(5), like ip4.src == 10.0.1.5 && tcp.dst == 80');
	const key = `${priority} ${match}`;
	if (action !== 'reroute') return { value: { priority, match, action, nextHops: [], path: field }, key };
	const nextHops = splitList(nextHopIP);
	const isGood = nextHops.length > 0 && nextHops.every((hop) => parseIp(hop));
	if (isGood) return { value: { priority, match, action, nextHops, path: field }, key };
	return malformed(field, what, `its next hop ${JSON.stringify(nextHopIP ?? '')} is not an address`, 'set nextHopIP to an address');
}

function whyNotMatch(match: string): string | undefined {
	try {
		parseMatch(match);
		return undefined;
	} catch (error) {
		if (isCoded(error)) return error.text.why ?? error.text.what;
		throw error;
	}
}

function readPeering(vpc: string, { remoteVpc = '', localConnectIP }: Link, field: string): Entry<Peering> {
	const what = `the link to VPC ${JSON.stringify(remoteVpc)} is not made`;
	const fail = (why: string, fix: string): Problem => ({ reason: 'PeeringMalformed', field, what, why, fix });
	if (remoteVpc === '') return fail('it names no remoteVpc', 'name the other VPC');
	if (remoteVpc === vpc) return fail('a VPC cannot be linked to itself', 'name the other VPC');
	const networks = splitList(localConnectIP);
	const read = networks.map(readNetwork);
	const fix = 'write an address with its prefix, like 169.254.0.1/30, or one of each family with a comma between them';
	if (networks.length === 0 || read.includes(undefined)) {
		return fail(`its localConnectIP ${JSON.stringify(localConnectIP ?? '')} is not an address with a prefix`, fix);
	}
	if (new Set(read.map((network) => network?.address.family)).size < read.length) return fail('it has two addresses of one family', fix);
	return { value: { remote: remoteVpc, networks }, key: remoteVpc };
}

function malformed(field: string, what: string, why: string, fix: string): Problem {
	return { reason: 'RouteMalformed', field, what, why, fix };
}
