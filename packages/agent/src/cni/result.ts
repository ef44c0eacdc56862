import { parseCidr } from '@tapestry/base';
import type { SandboxInterface } from '../attach/attachment.ts';
import type { Port } from '../port.ts';
import { type CniVersion, isAtLeast } from './version.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The answer to ADD in the shape of the version that was asked for (CNI specification, section "Success"): 0.1.0 and 0.2.0 know one address of each
 * family, 0.3.0 to 0.4.0 number the family of each, 1.0.0 does not, and 1.1.0 adds the MTU. Addresses belong to the interface `ifname`.
 */
export function addResult(
	version: CniVersion,
	options: {
		readonly ifname: string;
		readonly interfaces: readonly SandboxInterface[];
		readonly port: Port;
		readonly prevResult?: Json | undefined;
	},
): Json {
	const { ifname, interfaces, port, prevResult } = options;
	if (!isAtLeast(version, '0.3.0')) return legacyResult(version, port);
	const before = (field: string): readonly unknown[] => (Array.isArray(prevResult?.[field]) ? (prevResult[field] as unknown[]) : []);
	const earlier = before('interfaces').length;
	const index = earlier + interfaces.findIndex(({ name }) => name === ifname);
	return {
		cniVersion: version,
		interfaces: [
			...before('interfaces'),
			...interfaces.map(({ mtu, ...rest }) => ({ ...rest, ...(isAtLeast(version, '1.1.0') ? { mtu } : {}) })),
		],
		ips: [
			...before('ips'),
			...port.addresses.map(({ address, gateway }) => ({
				...(isAtLeast(version, '1.0.0') ? {} : { version: String(familyOf(address)) }),
				address,
				...(gateway === undefined ? {} : { gateway }),
				interface: index,
			})),
		],
		routes: [...before('routes'), ...defaultRoutes(port)],
		dns: prevResult?.dns ?? {},
	};
}

function legacyResult(version: CniVersion, port: Port): Json {
	const families = port.addresses.map(({ address, gateway }) => [
		`ip${familyOf(address)}`,
		{
			ip: address,
			...(gateway === undefined ? {} : { gateway, routes: defaultRoutes({ addresses: [{ address, gateway }] }) }),
		},
	]);
	return { cniVersion: version, ...Object.fromEntries(families), dns: {} };
}

function defaultRoutes({ addresses }: Pick<Port, 'addresses'>): readonly Json[] {
	return addresses.flatMap(({ address, gateway }) =>
		gateway ? [{ dst: familyOf(address) === 4 ? '0.0.0.0/0' : '::/0', gw: gateway }] : [],
	);
}

function familyOf(address: string): 4 | 6 {
	return parseCidr(address)?.family ?? 4;
}
