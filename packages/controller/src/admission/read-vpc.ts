import { parseCidr, parseIp } from '@tapestry/base';
import type { PolicyRouteFacts, Problem, StaticRouteFacts, Vpc } from '@tapestry/network';
import type { AdmissionOptions, AdmittedVpc } from './admit.ts';

/** What a Vpc says. A route that cannot be read is left out and told about; the others count. */
export function readVpc(
	vpc: Vpc,
	options: Pick<AdmissionOptions, 'defaultVpc'>,
): { readonly admitted: AdmittedVpc; readonly problems: readonly Problem[] } {
	const { name } = vpc.metadata;
	const { namespaces = [], defaultSubnet, staticRoutes = [], policyRoutes = [] } = vpc.spec;
	const routes = staticRoutes.map(readRoute);
	const policies = policyRoutes.map(readPolicy);
	const facts = {
		name,
		isDefault: name === options.defaultVpc,
		staticRoutes: routes.flatMap((one) => one.facts ?? []),
		policyRoutes: policies.flatMap((one) => one.facts ?? []),
	};
	const problems = [...routes, ...policies].flatMap((one) => one.problem ?? []);
	return { admitted: { facts, namespaces, defaultSubnet: defaultSubnet || undefined }, problems };
}

type Spec = Vpc['spec'];
type Route = NonNullable<Spec['staticRoutes']>[number];
type Policy = NonNullable<Spec['policyRoutes']>[number];
type Read<T> = { readonly facts?: T; readonly problem?: Problem };

function readRoute({ cidr = '', nextHopIP = '', policy, routeTable = '' }: Route, index: number): Read<StaticRouteFacts> {
	const field = `spec.staticRoutes[${index}]`;
	const what = `the static route to ${JSON.stringify(cidr)} is not made`;
	if (!parseCidr(cidr) && !parseIp(cidr)) return wrong(field, what, 'its cidr is not a block of addresses', 'write it like 0.0.0.0/0');
	if (!parseIp(nextHopIP))
		return wrong(field, what, `its next hop ${JSON.stringify(nextHopIP)} is not an address`, 'write it like 10.0.1.5');
	return { facts: { cidr, nextHop: nextHopIP, policy: policy === 'policySrc' ? 'src-ip' : 'dst-ip', table: routeTable } };
}

function readPolicy({ priority = 0, match = '', action = 'allow', nextHopIP = '' }: Policy, index: number): Read<PolicyRouteFacts> {
	const field = `spec.policyRoutes[${index}]`;
	const what = `the policy route ${JSON.stringify(match)} is not made`;
	if (match === '') return wrong(field, what, 'it has no match', 'write one like ip4.src == 10.0.1.5');
	if (action !== 'reroute') return { facts: { priority, match, action, nextHop: undefined } };
	if (parseIp(nextHopIP)) return { facts: { priority, match, action, nextHop: nextHopIP } };
	return wrong(field, what, `its next hop ${JSON.stringify(nextHopIP)} is not an address`, 'set nextHopIP to an address');
}

function wrong<T>(field: string, what: string, why: string, fix: string): Read<T> {
	return { problem: { reason: 'RouteMalformed', field, what, why, fix } };
}
