import type { Problem } from '../problem.ts';
import type { Subnet } from '../subnet.ts';
import { isOvnSubnet, subnetBlocks } from '../subnet-addressing.ts';
import { readDhcpV4Options, readDhcpV6Options, readRaOptions } from './read-options.ts';
import { type SubnetOptions, typedOptions } from './typed-options.ts';

/** What a subnet's guests are told beside the defaults: `spec.dhcp`, and over it the texts of Kube-OVN. Nothing in `problems` stops the subnet. */
export function subnetOptions(subnet: Subnet): SubnetOptions {
	const typed = typedOptions(subnet);
	const v4 = readDhcpV4Options(subnet.spec.dhcpV4Options);
	const v6 = readDhcpV6Options(subnet.spec.dhcpV6Options);
	const ra = readRaOptions(subnet.spec.ipv6RAConfigs);
	return {
		dhcpV4: { ...typed.dhcpV4, ...v4.options },
		dhcpV6: { ...typed.dhcpV6, ...v6.options },
		ra: { ...typed.ra, ...ra.options },
		problems: [...typed.problems, ...v4.problems, ...v6.problems, ...ra.problems, ...advertisementProblems(subnet)],
	};
}

/** Advertisements come from the port of a router in an IPv6 network. */
function* advertisementProblems(subnet: Subnet): Generator<Problem> {
	const { enableIPv6RA, ipv6RAConfigs, vlan, logicalGateway, u2oInterconnection } = subnet.spec;
	if (enableIPv6RA === false) return;
	const common = { field: 'spec.enableIPv6RA', what: `no router advertisement is sent in subnet ${subnet.metadata.name}` };
	const hasV6 = subnetBlocks(subnet)?.some(({ family }) => family === 6) ?? false;
	if (!hasV6 && (enableIPv6RA || ipv6RAConfigs)) {
		const fix = 'add an IPv6 block to spec.cidrBlock, or remove spec.enableIPv6RA and spec.ipv6RAConfigs';
		yield { ...common, reason: 'AdvertisementWithoutIPv6', why: 'it has no IPv6 block', fix };
	}
	const hasRouter = isOvnSubnet(subnet) && (!vlan || logicalGateway === true || u2oInterconnection === true);
	if (hasV6 && !hasRouter) {
		const why = 'no router of OVN has a port in it';
		const fix = "set spec.logicalGateway, or have the network's own router advertise and set spec.enableIPv6RA to false";
		yield { ...common, reason: 'AdvertisementWithoutRouter', why, fix };
	}
}
