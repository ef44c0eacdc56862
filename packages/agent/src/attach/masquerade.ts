import { parseIp } from '@tapestry/base';
import { addAddress, createBridge, deleteLink, findLink, getLink, setLink, setNetworkSettings } from '@tapestry/linux';
import { masqueradeMac, modeMark, podSideAddresses } from '@tapestry/network';
import type { Port } from '../port.ts';
import { masqueradeRules, natTables } from './masquerade-rules.ts';
import { missingProgram, missingTap, type NodeNeeds } from './node-needs.ts';
import { type LoadSandboxRules, tableRemoval } from './sandbox-rules.ts';
import { sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { makeTap, tapName } from './waiting-tap.ts';
import { activateInterface, configureInterface, deviceFaults, podBridge, type Wiring } from './wiring.ts';

export interface MasqueradeDeps {
	readonly needs: NodeNeeds;
	readonly loadRules: LoadSandboxRules;
}

/**
 * KubeVirt's masquerade binding: the sandbox's interface has the port's addresses and the guest is behind NAT, always under the same private address,
 * which the launcher hands out. The guest can have any MAC; what the network sees is the sandbox's.
 */
export function masqueradeWiring({ needs, loadRules }: MasqueradeDeps): Wiring {
	return {
		name: 'masquerade',
		servesSandbox: true,
		probe: async () => [...missingTap(needs), ...missingProgram(needs, 'nft', 'nftables')],
		innerEnd: ({ ifname, port }) => ({ name: ifname, mac: port.mac }),
		async lay(side, attachment) {
			const { namespace, route } = side;
			const { ifname, netns, port, forward = [] } = attachment;
			const bridge = podBridge(ifname);
			configureInterface(side, attachment);
			setLink(route, ifname, { alias: modeMark({ mode: 'masquerade' }) });
			createBridge(route, { name: bridge, mac: masqueradeMac, mtu: port.mtu, multicastSnooping: false });
			const families = familiesOf(port);
			setNetworkSettings(namespace, {
				...(families.includes(4) ? { 'ipv4/ip_forward': 1, [`ipv4/conf/${bridge}/route_localnet`]: 1 } : {}),
				...(families.includes(6)
					? { 'ipv6/conf/all/forwarding': 1, [`ipv6/conf/${bridge}/disable_ipv6`]: 0, [`ipv6/conf/${bridge}/accept_dad`]: 0 }
					: { [`ipv6/conf/${bridge}/disable_ipv6`]: 1 }),
			});
			const { index } = getLink(route, bridge);
			for (const family of families) {
				const { gateway, prefix } = podSideAddresses[family];
				const ip = parseIp(gateway);
				if (ip) addAddress(route, index, { ip, prefix });
			}
			const tap = makeTap(namespace, route, attachment);
			setLink(route, tapName, { master: index });
			setLink(route, bridge, { up: true });
			await loadRules(
				netns,
				families.flatMap((family) => masqueradeRules({ family, ifname, bridge, forward })),
			);
			return [shown(attachment), { name: tapName, mac: tap?.mac ?? '', mtu: port.mtu, sandbox: netns }];
		},
		activate: activateInterface,
		async strip({ namespace, route }, { ifname, netns }) {
			// The bridge is made before the rules and removed after them: without it the tables are somebody else's.
			if (findLink(route, podBridge(ifname))?.mac !== masqueradeMac) return;
			await loadRules(netns, tableRemoval(natTables[4], natTables[6]));
			for (const device of [tapName, podBridge(ifname)]) await deleteLink(device, namespace);
		},
		faults: ({ netns, ifname, port }) => [
			...sandboxFaults(netns, ifname, port, { routes: true }),
			...deviceFaults(netns, { [tapName]: podBridge(ifname) }),
		],
		hops: ({ ifname }) => [tapName, podBridge(ifname), `${ifname} (NAT)`],
	};
}

function familiesOf({ addresses }: Port): readonly (4 | 6)[] {
	return ([4, 6] as const).filter((family) => addresses.some(({ address }) => address.includes(':') === (family === 6)));
}
