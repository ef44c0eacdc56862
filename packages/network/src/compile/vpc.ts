import { defaultNames } from '../api/names.ts';
import type { DesiredRow, Fragment, Place } from '../plan/model.ts';
import { ownedName } from '../plan/ownership.ts';
import type { StaticRouteFacts, SubnetFacts, VpcFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { egressSetName, routerRow, switchRow } from './names.ts';

/** The router, its routes, and in the default VPC what all its subnets share. */
export function compileVpc(key: string, read: Read): Fragment {
	const vpc = read.get('Vpc', key);
	if (!vpc) return { rows: [] };
	const router: DesiredRow = { ...routerRow(vpc.name), columns: { name: vpc.name }, listedIn: [] };
	return { rows: [router, ...routes(vpc), ...policies(vpc), ...(vpc.isDefault ? sharedRows(vpc, read) : [])] };
}

function routes(vpc: VpcFacts): DesiredRow[] {
	return byKey(
		vpc.staticRoutes,
		(route) => `${route.policy}/${route.cidr}/${route.nextHop}/${route.table}`,
		(route, key) => routeRow(vpc.name, key, route),
	);
}

function routeRow(vpc: string, key: string, route: StaticRouteFacts): DesiredRow {
	return {
		table: 'Logical_Router_Static_Route',
		key: `vpc/${vpc}/${key}`,
		columns: { ip_prefix: route.cidr, nexthop: route.nextHop, policy: route.policy, route_table: route.table },
		listedIn: [{ ...routerRow(vpc), column: 'static_routes' }],
	};
}

function policies(vpc: VpcFacts): DesiredRow[] {
	return byKey(
		vpc.policyRoutes,
		({ priority, match }) => `${priority}/${match}`,
		({ priority, match, action, nextHop }, key) => ({
			table: 'Logical_Router_Policy',
			key: `vpc/${vpc.name}/${key}`,
			columns: { priority, match, action, nexthops: nextHop === undefined ? [] : [nextHop] },
			listedIn: [{ ...routerRow(vpc.name), column: 'policies' }],
		}),
	);
}

function sharedRows(vpc: VpcFacts, read: Read): DesiredRow[] {
	const subnets = read.list('Subnet', 'vpc', vpc.name);
	const join = subnets.find((subnet) => subnet.isJoin);
	return [...egressSets(subnets), ...defaultRoutes(vpc, join), serviceGroup(vpc, subnets)];
}

/** The senders that may leave through their node (node.ts): every subnet of the VPC but the join network itself. */
function egressSets(subnets: readonly SubnetFacts[]): DesiredRow[] {
	return ([4, 6] as const).map((family) => {
		const blocks = subnets.filter((subnet) => !subnet.isJoin).flatMap((subnet) => subnet.blocks);
		const name = egressSetName(family);
		return {
			table: 'Address_Set',
			key: name,
			columns: { name, addresses: blocks.filter((block) => block.family === family).map((block) => block.cidr) },
			listedIn: [],
		};
	});
}

/** ovn-northd drops what has no route before it looks at policies; the next hop is never used, as a policy sends the packet elsewhere. */
function defaultRoutes(vpc: VpcFacts, join: SubnetFacts | undefined): DesiredRow[] {
	return (join?.blocks ?? []).map(({ family, gateway }) => {
		const cidr = family === 4 ? '0.0.0.0/0' : '::/0';
		return routeRow(vpc.name, `default/${family}`, { cidr, nextHop: gateway, policy: 'dst-ip', table: '' });
	});
}

/** Every Service's balancer is in this one group and every switch uses it, so that no row count grows as Services x subnets. */
function serviceGroup(vpc: VpcFacts, subnets: readonly SubnetFacts[]): DesiredRow {
	const name = ownedName(`Vpc/${vpc.name}`);
	const places = subnets
		.filter((subnet) => subnet.servesServices)
		.map((subnet): Place => ({ ...switchRow(subnet.name), column: 'load_balancer_group' }));
	return { table: 'Load_Balancer_Group', key: name, columns: { name }, listedIn: places };
}

/** The group that Services' balancers are put in. */
export const serviceGroupPlace: Place = {
	table: 'Load_Balancer_Group',
	key: ownedName(`Vpc/${defaultNames.vpc}`),
	column: 'load_balancer',
};

/** Users may list a route twice; the first counts. */
function byKey<T>(items: readonly T[], keyOf: (item: T) => string, rowOf: (item: T, key: string) => DesiredRow): DesiredRow[] {
	const rows = new Map<string, DesiredRow>();
	for (const item of items) {
		const key = keyOf(item);
		if (!rows.has(key)) rows.set(key, rowOf(item, key));
	}
	return [...rows.values()];
}
