import { formatCidr, formatIp } from '@tapestry/base';
import { addressSpaces, type Subnet, type SubnetFacts } from '@tapestry/network';
import type { AdmissionOptions } from './admit.ts';

/** What a valid Subnet, with defaults filled in, means to the compiler. */
export function subnetFacts({ metadata: { name }, spec, ...rest }: Subnet, options: AdmissionOptions): SubnetFacts {
	const vpc = spec.vpc ?? options.defaultVpc;
	const isJoin = name === options.joinSubnet;
	const spaces = addressSpaces({ metadata: { name }, spec, ...rest });
	return {
		name,
		vpc,
		blocks: spaces.flatMap(({ cidr, gateway }) =>
			gateway ? [{ family: cidr.family, cidr: formatCidr(cidr), prefix: cidr.prefix, gateway: formatIp(gateway) }] : [],
		),
		isJoin,
		mtu: spec.mtu ?? options.mtu,
		servesServices: vpc === options.defaultVpc && !isJoin && spec.enableLb !== false,
		dhcpV4Options: parseOptions(spec.dhcpV4Options),
		dhcpV6Options: parseOptions(spec.dhcpV6Options),
		raOptions: parseOptions(spec.ipv6RAConfigs),
	};
}

/** `name=value,...` as in Kube-OVN. A value in braces may hold commas: `dns_server={10.0.0.1,10.0.0.2}`. */
export function parseOptions(text: string | undefined): Readonly<Record<string, string>> {
	const parts = (text ?? '').match(/(?:\{[^}]*\}|[^,{])+/g) ?? [];
	return Object.fromEntries(
		parts.flatMap((part) => {
			const at = part.indexOf('=');
			return at <= 0 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).trim()]];
		}),
	);
}
