import { type LabLayout, underlay } from '../layout.ts';
import { type ProcessDeps, run } from '../process.ts';

/** The namespace that stands for the physical network and the world outside the nodes. */
export function outsideNetns(layout: LabLayout): string {
	return `${layout.prefix}-out`;
}

/**
 * Makes the underlay: a Linux bridge in a namespace of its own. Not in the root namespace, where other labs would meet it and where
 * bridge-nf-call-iptables may filter it.
 */
export async function createUnderlay(deps: ProcessDeps, layout: LabLayout): Promise<void> {
	const name = outsideNetns(layout);
	const prefixes = underlay.cidrs.map((cidr) => cidr.split('/')[1]);
	await run(deps, ['ip', 'netns', 'add', name]);
	await run(deps, ['ip', '-n', name, '-batch', '-'], {
		input: [
			'link set lo up',
			'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
			`link set br0 mtu ${underlay.mtu} up`,
			...underlay.outsideAddresses.map(
				(address, i) => `addr add ${address}/${prefixes[i]} dev br0${address.includes(':') ? ' nodad' : ''}`,
			),
			'',
		].join('\n'),
	});
}

/** Makes a node's network namespace with `eth0` on the underlay. The addresses go on br-phy later, where userspace tunnels need them. */
export async function createNodeNetns(deps: ProcessDeps, layout: LabLayout, node: string): Promise<void> {
	const { netns } = layout.node(node);
	const outside = outsideNetns(layout);
	await run(deps, ['ip', 'netns', 'add', netns]);
	await run(deps, ['ip', '-batch', '-'], {
		input: [`link add eth0 netns ${netns} mtu ${underlay.mtu} type veth peer name p-${node} netns ${outside}`, ''].join('\n'),
	});
	await run(deps, ['ip', '-n', netns, '-batch', '-'], { input: 'link set lo up\nlink set eth0 up\n' });
	await run(deps, ['ip', '-n', outside, 'link', 'set', `p-${node}`, 'master', 'br0', 'up']);
	// The userspace datapath reads frames with AF_PACKET: a checksum that the sender left to the NIC would never be filled in.
	await Promise.all([
		run(deps, ['ip', 'netns', 'exec', netns, 'ethtool', '-K', 'eth0', 'tx', 'off', 'gro', 'off']),
		run(deps, ['ip', 'netns', 'exec', outside, 'ethtool', '-K', `p-${node}`, 'tx', 'off']),
	]);
}

/** Puts the node's addresses on br-phy, once vswitchd has made it. */
export async function addressNode(deps: ProcessDeps, layout: LabLayout, node: string, index: number): Promise<void> {
	const prefixes = underlay.cidrs.map((cidr) => cidr.split('/')[1]);
	const lines = underlay
		.nodeAddresses(index)
		.map((address, i) => `addr replace ${address}/${prefixes[i]} dev br-phy${address.includes(':') ? ' nodad' : ''}`);
	const { netns } = layout.node(node);
	await run(deps, ['ip', '-n', netns, '-batch', '-'], { input: [...lines, 'link set br-phy up', ''].join('\n') });
	// br-phy is a tap of vswitchd: the same checksum trouble as on every port of the userspace datapath.
	await run(deps, ['ip', 'netns', 'exec', netns, 'ethtool', '-K', 'br-phy', 'tx', 'off']);
}
