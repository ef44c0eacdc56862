import { formatCidr, formatIp } from '@tapestry/base';
import { addressSpaces, readGateway, type Subnet, type SubnetFacts, subnetOptions, subnetRules } from '@tapestry/network';
import type { AdmissionOptions } from './admission.ts';

/** What a valid Subnet, with defaults filled in, means to the compiler. */
export function subnetFacts(subnet: Subnet, { defaultVpc, joinSubnet, mtu }: AdmissionOptions): SubnetFacts {
	const {
		metadata: { name },
		spec,
	} = subnet;
	const options = subnetOptions(subnet);
	const rules = subnetRules(subnet);
	const vpc = spec.vpc ?? defaultVpc;
	const isJoin = name === joinSubnet;
	const spaces = addressSpaces(subnet);
	return {
		name,
		vpc,
		blocks: spaces.flatMap(({ cidr, gateway }) =>
			gateway ? [{ family: cidr.family, cidr: formatCidr(cidr), prefix: cidr.prefix, gateway: formatIp(gateway) }] : [],
		),
		isJoin,
		gateway: readGateway(subnet),
		routeTable: spec.routeTable ?? '',
		mtu: spec.mtu ?? mtu,
		servesServices: !isJoin && spec.enableLb !== false,
		dhcpFor: spec.enableDHCP === undefined ? 'vms' : spec.enableDHCP ? 'all' : 'nobody',
		tellsClusterDns: spec.dhcp?.dns === undefined,
		advertises: spec.enableIPv6RA !== false,
		dhcpV4Options: options.dhcpV4,
		dhcpV6Options: options.dhcpV6,
		raOptions: options.ra,
		acls: rules.acls,
		allowsEastWest: rules.allowsEastWest,
		privateTo: rules.privateTo,
	};
}
