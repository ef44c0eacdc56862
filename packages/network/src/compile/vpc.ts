import { externalIds } from '../api/names.ts';
import type { StaticRoute } from '../api/vpc-routes.ts';
import type { DesiredRow, Fragment, Place } from '../plan/model.ts';
import { ownedName } from '../plan/ownership.ts';
import type { SubnetFacts, VpcFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { egressSetName, routerMac, routerPortName, routerRow, shownMac, switchRow } from './names.ts';
import { policyPriority } from './priorities.ts';

/** The router, its routes, and in the default VPC what all its subnets share. */
export function compileVpc(key: string, read: Read): Fragment {
	const vpc = read.get('Vpc', key);
	if (!vpc) return { rows: [] };
	const router: DesiredRow = { ...routerRow(vpc.name), columns: { name: vpc.name }, listedIn: [] };
	const subnets = read.list('Subnet', 'vpc', vpc.name);
	const shared = vpc.isDefault ? sharedRows(vpc, subnets) : [];
	return { rows: [router, ...routes(vpc), ...policies(vpc), ...peerings(vpc, read), serviceGroup(vpc, subnets), ...shared] };
}

function routes(vpc: VpcFacts): DesiredRow[] {
	return byKey(
		vpc.staticRoutes,
		(route) => `${route.policy}/${route.cidr}/${route.nextHop}/${route.table}`,
		(route, key) => routeRow(vpc.name, key, route),
	);
}

function routeRow(vpc: string, key: string, route: StaticRoute): DesiredRow {
	return {
		table: 'Logical_Router_Static_Route',
		key: `vpc/${vpc}/${key}`,
		columns: {
			ip_prefix: route.cidr,
			nexthop: route.nextHop,
			policy: route.policy,
			route_table: route.table,
			options: route.isSymmetric ? { ecmp_symmetric_reply: 'true' } : {},
			external_ids: placeIds(route.path),
		},
		listedIn: [{ ...routerRow(vpc), column: 'static_routes' }],
	};
}

function policies(vpc: VpcFacts): DesiredRow[] {
	return byKey(
		vpc.policyRoutes,
		({ priority, match }) => `${priority}/${match}`,
		({ priority, match, action, nextHops, path }, key) => ({
			table: 'Logical_Router_Policy',
			key: `vpc/${vpc.name}/${key}`,
			columns: { priority, match, action, nexthops: nextHops, external_ids: placeIds(path) },
			listedIn: [{ ...routerRow(vpc.name), column: 'policies' }],
		}),
	);
}

/** Tells `why` which entry of the YAML a row is for. */
function placeIds(path: string | undefined): Readonly<Record<string, string>> {
	return path === undefined ? {} : { [externalIds.path]: path };
}

/** The VPC's ends of its links; the two ends name each other (Logical_Router_Port.peer). */
function peerings(vpc: VpcFacts, read: Read): DesiredRow[] {
	const mutual = vpc.peerings.filter(({ remote }) => read.get('Vpc', remote)?.peerings.some((back) => back.remote === vpc.name));
	return mutual.map(({ remote, networks }) => ({
		table: 'Logical_Router_Port',
		key: `vpc/${vpc.name}/peering/${remote}`,
		columns: {
			name: routerPortName(vpc.name, remote),
			mac: shownMac(routerMac(vpc.name, remote)),
			networks,
			peer: routerPortName(remote, vpc.name),
		},
		listedIn: [{ ...routerRow(vpc.name), column: 'ports' }],
	}));
}

function sharedRows(vpc: VpcFacts, subnets: readonly SubnetFacts[]): DesiredRow[] {
	const join = subnets.find((subnet) => subnet.isJoin);
	return [...egressSets(subnets), ...defaultRoutes(vpc, join), ...routesBeforeEgress(vpc)];
}

/** The senders that leave through their own node (node.ts). */
function egressSets(subnets: readonly SubnetFacts[]): DesiredRow[] {
	return ([4, 6] as const).map((family) => {
		const blocks = subnets.filter((subnet) => subnet.gateway?.kind === 'distributed').flatMap((subnet) => subnet.blocks);
		const name = egressSetName(family);
		return {
			table: 'Address_Set',
			key: name,
			columns: { name, addresses: blocks.filter((block) => block.family === family).map((block) => block.cidr) },
			listedIn: [],
		};
	});
}

const everything = { 4: '0.0.0.0/0', 6: '::/0' } as const;

/** ovn-northd drops what has no route before it looks at policies; the next hop is never used, as a policy sends the packet elsewhere. */
function defaultRoutes(vpc: VpcFacts, join: SubnetFacts | undefined): DesiredRow[] {
	// Beside a default route of the user's, ours would take its share of the traffic.
	const blocks = (join?.blocks ?? []).filter(({ family }) => !vpc.staticRoutes.some(({ cidr }) => cidr === everything[family]));
	return blocks.map(({ family, gateway }) => {
		const cidr = everything[family];
		return routeRow(vpc.name, `default/${family}`, { cidr, nextHop: gateway, policy: 'dst-ip', table: '', isSymmetric: false });
	});
}

/** Policies go before routes, so without these the egress policies of the nodes would take what the user's routes are for. */
function routesBeforeEgress(vpc: VpcFacts): DesiredRow[] {
	const routed = vpc.staticRoutes.filter(({ table, cidr }) => table === '' && !cidr.endsWith('/0'));
	return byKey(
		routed,
		({ cidr, policy }) => `${policy}/${cidr}`,
		({ cidr, policy }, key) => ({
			table: 'Logical_Router_Policy',
			key: `vpc/${vpc.name}/route/${key}`,
			columns: {
				priority: policyPriority.route,
				match: `ip${cidr.includes(':') ? 6 : 4}.${policy === 'src-ip' ? 'src' : 'dst'} == ${cidr}`,
				action: 'allow',
				nexthops: [],
			},
			listedIn: [{ ...routerRow(vpc.name), column: 'policies' }],
		}),
	);
}

/** The balancers of all Services of the VPC are in this one group and every switch uses it, so that no row count grows as Services x subnets. */
function serviceGroup(vpc: VpcFacts, subnets: readonly SubnetFacts[]): DesiredRow {
	const name = ownedName(`Vpc/${vpc.name}`);
	const places = subnets
		.filter((subnet) => subnet.servesServices)
		.map((subnet): Place => ({ ...switchRow(subnet.name), column: 'load_balancer_group' }));
	return { table: 'Load_Balancer_Group', key: name, columns: { name }, listedIn: places };
}

/** The group that the balancers of a VPC's Services are put in. */
export function serviceGroupPlace(vpc: string): Place {
	return { table: 'Load_Balancer_Group', key: ownedName(`Vpc/${vpc}`), column: 'load_balancer' };
}

/** Users may list a route twice; the first counts. */
function byKey<T>(items: readonly T[], keyOf: (item: T) => string, rowOf: (item: T, key: string) => DesiredRow): DesiredRow[] {
	const rows = new Map<string, DesiredRow>();
	for (const item of items) {
		const key = keyOf(item);
		if (!rows.has(key)) rows.set(key, rowOf(item, key));
	}
	return [...rows.values()];
}
