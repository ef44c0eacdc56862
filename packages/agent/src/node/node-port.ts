import { type Clock, formatCidr, formatIp, type Logger, parseIp } from '@tapestry/base';
import {
	addAddress,
	disableTransmitChecksumOffload,
	findLink,
	type Link,
	type LinkMonitor,
	listAddresses,
	listRoutes,
	removeAddress,
	removeRoute,
	replaceRoute,
	setLink,
	setNetworkSettings,
} from '@tapestry/linux';
import type { HostSide } from '../attach/host-side.ts';
import { parseInterfaceAddress } from '../attach/sandbox-side.ts';
import { Settler } from '../settler.ts';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import { enableForwarding } from './forwarding.ts';
import type { NodeNetwork } from './node-network.ts';

/** Kube-OVN's name for the node's own port. */
export const nodeDevice = 'ovn0';

export interface NodePortDeps {
	readonly clock: Pick<Clock, 'after'>;
	readonly log: Logger;
	readonly host: HostSide;
	readonly bridge: IntegrationBridge;
	readonly monitor: LinkMonitor;
	/** What should be; undefined while that is not known, which changes nothing. */
	readonly wanted: () => NodeNetwork | undefined;
}

/**
 * Keeps the node's own port: an internal port of the switch in the join network, through which the node reaches the pods, the pods reach the node, and
 * what leaves the VPC comes out to be forwarded. Everything is compared with what is there, so an agent that starts anew changes nothing.
 */
export class NodePort implements AsyncDisposable {
	readonly #deps: NodePortDeps;
	readonly #settler: Settler;
	readonly #unsubscribe: readonly (() => void)[];

	constructor(deps: NodePortDeps) {
		this.#deps = deps;
		this.#settler = new Settler(
			deps,
			(signal) => this.#settle(signal),
			(error) => deps.log.error("cannot set up the node's port", { error }),
		);
		this.#unsubscribe = [
			deps.monitor.watchLink(deps.host.namespace, nodeDevice, () => void this.look()),
			deps.bridge.onChange(() => this.#settler.retry()),
		];
		void this.look();
	}

	/** The lease or the subnets may have changed. Resolves when that has been acted upon. */
	look(): Promise<void> {
		return this.#settler.look();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const unsubscribe of this.#unsubscribe) unsubscribe();
		await this.#settler.stop();
	}

	async #settle(signal: AbortSignal): Promise<void> {
		const { host, wanted } = this.#deps;
		const network = wanted();
		if (!network) return;
		await this.#plug(network, signal);
		const link = findLink(host.route, nodeDevice);
		// Open vSwitch makes the device when it sees the row; its appearance brings us back.
		if (link) this.#configure(link, network);
	}

	async #plug({ port }: NodeNetwork, signal: AbortSignal): Promise<void> {
		const plugged = this.#deps.bridge.port(nodeDevice)?.externalIds;
		if (plugged?.['iface-id'] === port.name && plugged['iface-id-ver'] === port.ownerUid) return;
		await this.#deps.bridge.add(
			{
				device: nodeDevice,
				type: 'internal',
				mac: port.mac,
				mtu: port.mtu,
				ifaceId: port.name,
				ifaceIdVersion: port.ownerUid,
				about: { 'attached-mac': port.mac },
			},
			{ signal },
		);
	}

	/** Writes only what differs: an unchanged device makes no link event, which would bring us back here. */
	#configure(link: Link, network: NodeNetwork): void {
		const { namespace, route } = this.#deps.host;
		const { port } = network;
		enableForwarding(this.#deps.host);
		setNetworkSettings(namespace, { [`ipv6/conf/${nodeDevice}/accept_ra`]: 0, [`ipv6/conf/${nodeDevice}/accept_dad`]: 0 });
		if (!link.up) disableTransmitChecksumOffload(namespace, nodeDevice);
		if (link.mac !== port.mac) setLink(route, link.index, { mac: port.mac });
		if (link.mtu !== port.mtu) setLink(route, link.index, { mtu: port.mtu });
		if (!link.up) setLink(route, link.index, { up: true });
		this.#setAddresses(link, network);
		this.#setRoutes(link, network);
	}

	#setAddresses({ index }: Link, { port }: NodeNetwork): void {
		const { route } = this.#deps.host;
		const wanted = new Set(port.addresses.map(({ address }) => address));
		const present = listAddresses(route).filter((entry) => entry.link === index && !isLinkLocal(formatIp(entry.ip)));
		for (const entry of present) if (!wanted.delete(`${formatIp(entry.ip)}/${entry.prefix}`)) removeAddress(route, index, entry);
		for (const address of wanted) addAddress(route, index, parseInterfaceAddress({ address }));
	}

	#setRoutes({ index }: Link, { routes }: NodeNetwork): void {
		const { route } = this.#deps.host;
		const wanted = new Map(routes.map((entry) => [`${formatCidr(entry.destination)} via ${formatIp(entry.gateway)}`, entry]));
		for (const entry of listRoutes(route)) {
			// Routes without a gateway are those to the join network, which the kernel keeps with the addresses.
			if (entry.link !== index || !entry.gateway || !entry.destination) continue;
			if (!wanted.delete(`${formatCidr(entry.destination)} via ${formatIp(entry.gateway)}`)) removeRoute(route, entry);
		}
		for (const { destination, gateway } of wanted.values()) {
			replaceRoute(route, { family: destination.family, destination, gateway, link: index });
		}
	}
}

const isLinkLocal = (address: string): boolean => parseIp(address)?.family === 6 && address.startsWith('fe80:');
