import { parseIp } from '@tapestry/base';
import { addAddress, createBridge, deleteLink, findLink, getLink, setLearning, setLink, setNetworkSettings } from '@tapestry/linux';
import { bridgeServerAddress, masqueradeMac, matching, meta, payload } from '@tapestry/network';
import type { Attachment, SandboxInterface } from './attachment.ts';
import { missingProgram, missingTap, type NodeNeeds } from './node-needs.ts';
import { makePlaceholder, removePlaceholder } from './placeholder.ts';
import { type LoadSandboxRules, tableRemoval } from './sandbox-rules.ts';
import { sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { makeTap, tapName } from './waiting-tap.ts';
import { deviceFaults, nicName, podBridge, type SandboxSide, silence, type Wiring } from './wiring.ts';

/** Keeps DHCP of the guest in the sandbox, so that the server there answers and not, sometimes, OVN. */
const guard = { family: 'bridge', name: 'tapestry' } as const;

export interface BridgeDeps {
	readonly needs: NodeNeeds;
	readonly loadRules: LoadSandboxRules;
}

/**
 * KubeVirt's bridge binding: tap and veth are ports of a bridge in the launcher's namespace. The guest has the port's addresses and MAC and gets the IPv4
 * ones from a DHCP server that the launcher runs on the bridge; IPv6 comes from OVN. Source: KubeVirt, pkg/network/setup, "bridge".
 */
export function bridgeWiring(deps: BridgeDeps): Wiring {
	return {
		...wiring(deps, 'bridge'),
		probe: async () => [...missingTap(deps.needs), ...missingProgram(deps.needs, 'nft', 'nftables')],
		async lay(side, attachment) {
			const interfaces = layBridge(side, 'bridge', attachment);
			const bridge = podBridge(attachment.ifname);
			const server = parseIp(bridgeServerAddress);
			if (server) addAddress(side.route, getLink(side.route, bridge).index, { ip: server, prefix: 32 });
			await deps.loadRules(attachment.netns, keepDhcpInside(nicName(attachment.ifname)));
			return interfaces;
		},
		async strip(side, target) {
			if (isOurs(side, target.ifname)) await deps.loadRules(target.netns, tableRemoval(guard));
			await stripBridge(side, target.ifname);
		},
	};
}

/** KubeVirt's managedTap: the same without a server in the pod; OVN's DHCP and router advertisements reach the guest. */
export function managedTapWiring(deps: Pick<BridgeDeps, 'needs'>): Wiring {
	return {
		...wiring(deps, 'managedtap'),
		lay: async (side, attachment) => layBridge(side, 'managedtap', attachment),
		strip: (side, { ifname }) => stripBridge(side, ifname),
	};
}

type Shared = Omit<Wiring, 'lay' | 'strip'>;

function wiring({ needs }: Pick<BridgeDeps, 'needs'>, name: 'bridge' | 'managedtap'): Shared {
	return {
		name,
		servesSandbox: false,
		probe: async () => missingTap(needs),
		innerEnd: ({ ifname }) => ({ name: nicName(ifname) }),
		activate({ route }, { ifname }) {
			for (const device of [podBridge(ifname), nicName(ifname)]) setLink(route, device, { up: true });
		},
		faults: ({ netns, ifname, port }) => [
			...sandboxFaults(netns, ifname, port, { routes: false }),
			...deviceFaults(netns, { [tapName]: podBridge(ifname), [nicName(ifname)]: podBridge(ifname) }),
		],
		hops: ({ ifname }) => [tapName, podBridge(ifname), nicName(ifname)],
	};
}

function layBridge(side: SandboxSide, mode: 'bridge' | 'managedtap', attachment: Attachment): readonly SandboxInterface[] {
	const { namespace, route } = side;
	const { ifname, port } = attachment;
	const [bridge, nic] = [podBridge(ifname), nicName(ifname)];
	setNetworkSettings(namespace, { 'ipv4/ip_forward': 0 });
	createBridge(route, { name: bridge, mtu: port.mtu, multicastSnooping: false });
	for (const device of [bridge, nic]) silence(namespace, device);
	const { index } = getLink(route, bridge);
	setLink(route, nic, { master: index });
	// The guest's address is behind the tap; what the network echoes must not move it.
	setLearning(route, nic, false);
	const tap = makeTap(namespace, route, attachment);
	setLink(route, tapName, { master: index });
	makePlaceholder(side, { mode, gateways: port.addresses.flatMap(({ gateway }) => gateway ?? []) }, attachment);
	return [shown(attachment), { name: tapName, mac: tap?.mac ?? '', mtu: port.mtu, sandbox: attachment.netns }];
}

async function stripBridge(side: SandboxSide, ifname: string): Promise<void> {
	if (isOurs(side, ifname)) for (const device of [tapName, podBridge(ifname)]) await deleteLink(device, side.namespace);
	await removePlaceholder(side, ifname);
}

/** The rules are loaded after the bridge was made and removed before it. A bridge with the other binding's address is that one's. */
function isOurs({ route }: SandboxSide, ifname: string): boolean {
	const bridge = findLink(route, podBridge(ifname));
	return bridge?.kind === 'bridge' && bridge.mac !== masqueradeMac;
}

function keepDhcpInside(nic: string): readonly object[] {
	const chain = { family: guard.family, table: guard.name, name: 'forward' };
	const expr = [matching(meta('oifname'), nic), matching(payload('udp', 'dport'), 67), { drop: null }];
	return [
		{ add: { table: guard } },
		{ add: { chain: { ...chain, type: 'filter', hook: 'forward', prio: 0, policy: 'accept' } } },
		{ add: { rule: { family: guard.family, table: guard.name, chain: chain.name, comment: 'the launcher answers DHCP', expr } } },
	];
}
