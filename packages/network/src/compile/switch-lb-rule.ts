import { cidrContains, parseCidr, parseIp } from '@tapestry/base';
import { defaultNames } from '../api/names.ts';
import type { Fragment } from '../plan/model.ts';
import { ruleServiceName } from '../service/rule-facts.ts';
import type { EndpointSliceFacts, SwitchLbRuleFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { balancers, vpcOfEndpoints } from './service.ts';

/** An address of a VPC's own, balanced over the pods of the rule's Service or over the addresses that the rule lists. */
export function compileSwitchLbRule(key: string, read: Read): Fragment {
	const rule = read.get('SwitchLBRule', key);
	if (!rule) return { rows: [] };
	const { namespace, name, vips, ports, isSticky } = rule;
	const listed = listedSlices(rule);
	const slices = listed.length > 0 ? listed : read.list('EndpointSlice', 'service', `${namespace}/${ruleServiceName(name)}`);
	const [subnet] = rule.subnets;
	const vpc = vpcOfEndpoints(namespace, slices, read) ?? (subnet && read.get('Subnet', subnet)?.vpc) ?? defaultNames.vpc;
	const asked = askedEndpoints(rule, slices, read);
	return {
		rows: balancers(`slr/${name}`, { ports, isSticky, servesUnready: false, addresses: vips, vpc, slices, ...(asked ? { asked } : {}) }),
	};
}

/** The endpoints on the subnet that the source is of: they look for it on their own switch. Others are not asked, and always count. */
function askedEndpoints(rule: SwitchLbRuleFacts, slices: readonly EndpointSliceFacts[], read: Read): Record<string, string> | undefined {
	const { namespace, healthSource } = rule;
	const source = parseIp(healthSource ?? '');
	if (!healthSource || !source) return undefined;
	const isOnLink = (subnet: string): boolean =>
		(read.get('Subnet', subnet)?.blocks ?? []).some(({ cidr }) => {
			const block = parseCidr(cidr);
			return block !== undefined && cidrContains(block, source);
		});
	const addresses = slices.filter(({ family }) => family === 4).flatMap(({ endpoints }) => endpoints.map(({ address }) => address));
	const ports = addresses.flatMap((address) => {
		const lease = read.list('IP', 'address', address).find((one) => one.namespace === namespace && isOnLink(one.subnet));
		return lease ? [[address, `${lease.name}:${healthSource}`] as const] : [];
	});
	return Object.fromEntries(ports);
}

function listedSlices({ namespace, name, endpoints, ports }: SwitchLbRuleFacts): EndpointSliceFacts[] {
	return ([4, 6] as const).flatMap((family) => {
		const own = endpoints.filter((address) => parseIp(address)?.family === family);
		if (own.length === 0) return [];
		const service = `${namespace}/${ruleServiceName(name)}`;
		const targets = Object.fromEntries(ports.map((port) => [port.name, port.target]));
		return [{ service, family, endpoints: own.map((address) => ({ address, isReady: true, isServing: true, node: '' })), ports: targets }];
	});
}
