import type { Family } from '@tapestry/base';

/** What a guest is given where the launcher answers, as KubeVirt's does, and not the network. */
export interface GuestAddresses {
	/** The bridge with the guest's tap. */
	readonly bridge: string;
	/** The guest's hardware address: nobody else is answered. */
	readonly mac: string;
	readonly hostname: string;
	readonly mtu: number;
	readonly families: readonly GuestAddress[];
	/** Whether what advertises IPv6 is the guest's way out. @default true */
	readonly isRouter?: boolean;
	/** Of the pod. */
	readonly nameServers: readonly string[];
}

export interface GuestAddress {
	readonly family: Family;
	readonly address: string;
	readonly prefix: number;
	readonly gateway: string | undefined;
}

/** The name servers of a resolv.conf(5) that can be reached from elsewhere. */
export function nameServersOf(resolvConf: string): readonly string[] {
	return [...resolvConf.matchAll(/^nameserver\s+([0-9a-fA-F.:]+)\s*$/gm)]
		.map(([, address = '']) => address)
		.filter((address) => !address.startsWith('127.') && address !== '::1');
}

/**
 * The arguments of dnsmasq(8) that serve one guest and nothing else: DHCPv4 with a lease for ever and, where the guest has an IPv6 address from here,
 * DHCPv6 and the advertisement that tells it to ask. `leases` is a file of its own.
 */
export function dnsmasqArguments(addresses: GuestAddresses, leases: string): readonly string[] {
	const { bridge, mac, hostname, mtu, families, isRouter = true, nameServers } = addresses;
	const servers = (v6: boolean): readonly string[] => nameServers.filter((server) => server.includes(':') === v6);
	return [
		'--keep-in-foreground',
		'--log-facility=-',
		'--log-dhcp',
		'--conf-file=/dev/null',
		'--pid-file',
		'--user=root',
		'--port=0',
		'--no-hosts',
		'--no-resolv',
		'--no-ping',
		'--dhcp-authoritative',
		`--dhcp-leasefile=${leases}`,
		`--interface=${bridge}`,
		'--except-interface=lo',
		'--bind-interfaces',
		...families.flatMap(({ family, address, prefix, gateway }) => {
			if (family === 6) {
				const dns = servers(true).map((server) => `[${server}]`);
				return [
					`--dhcp-range=${address},${address},${prefix},infinite`,
					'--enable-ra',
					`--ra-param=${bridge},mtu:${mtu},60${isRouter ? '' : ',0'}`,
					['--dhcp-option=option6:dns-server', ...dns].join(','),
				];
			}
			return [
				// The bridge's own address lies elsewhere than the guest's.
				`--shared-network=${bridge},${address}`,
				`--dhcp-range=${address},static,${netmask(prefix)},infinite`,
				`--dhcp-host=${mac},${address},${hostname},infinite`,
				['--dhcp-option=option:router', ...(gateway === undefined ? [] : [gateway])].join(','),
				['--dhcp-option=option:dns-server', ...servers(false)].join(','),
				`--dhcp-option=option:mtu,${mtu}`,
			];
		}),
	];
}

function netmask(prefix: number): string {
	const bits = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
	return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}
