import { CodedError } from '@tapestry/base';
import { podPlaces } from '../kubelet/places.ts';
import { vmFiles } from '../launcher/files.ts';
import { guestExec } from '../launcher/guest-exec.ts';
import { enterNode } from '../nodes/mounts.ts';
import { run } from '../process.ts';
import type { ShowContext } from './context.ts';
import type { Hop } from './hop.ts';
import { type AddressedLink, hasCarrier, parseAddressedLink, parseDetailedLink } from './ip-output.ts';
import { findTapOpener, parseVirtioDevice, type TapOpener } from './tap-descriptors.ts';

/** Modes in which the guest has another address than its port. */
const translating: readonly string[] = ['masquerade', 'slirp'];

const device = 'eth0';
const addressCommand = ['ip', 'addr', 'show', 'dev', device];

/** The NIC as the guest sees it, asked over its serial line. */
export async function guestHop({ layout, workload, signal }: ShowContext): Promise<Hop> {
	const { execSocket } = vmFiles(podPlaces(layout.node(workload.node).kubeletState, workload.pod).directory);
	const chunks: Uint8Array[] = [];
	await guestExec(execSocket, addressCommand, { output: (chunk) => chunks.push(chunk), signal });
	return { kind: 'guest', name: device, facts: addressFacts(parseAddressedLink(Buffer.concat(chunks).toString())) };
}

/** The device that the VMM gives the guest: the guest's driver behind, the tap's queues before it. */
export async function virtioHop(context: ShowContext): Promise<Hop> {
	const { descriptors, argv } = await opener(context);
	const virtio = parseVirtioDevice(argv);
	if (!virtio) throw new CodedError('SHOW_VIRTIO', 'the VMM has no virtio NIC');
	const { model, mac, mtu, checksumOffload } = virtio;
	return { kind: 'virtio', name: model, facts: { mac, mtu, queues: descriptors.length, checksumOffload } };
}

export async function tapHop(context: ShowContext): Promise<Hop> {
	const [{ name }, { pid, executable, descriptors }] = await Promise.all([context.plugged(), opener(context)]);
	const link = await nodeLink(context, name);
	const { multi_queue: multiQueue, persist, user } = link.linkinfo?.info_data ?? {};
	return {
		kind: 'tap',
		name,
		facts: {
			heldBy: `${executable}, pid ${pid}, fd ${descriptors.join(' ')}`,
			carrier: hasCarrier(link),
			mtu: link.mtu,
			queues: descriptors.length,
			multiQueue,
			persist,
			user,
		},
	};
}

/**
 * What lies in the launcher's namespace, by the word of the agent that made it.
 * @param options.outside how many devices at the end of the path are the node's; by default the veth and the switch
 */
export async function launcherHop({ agentPorts, lease }: ShowContext, options: { readonly outside?: number } = {}): Promise<Hop> {
	const own = (await agentPorts()).find(({ port }) => port.name === lease.metadata.name);
	const { mode = '', path = [] } = own ?? {};
	return {
		kind: 'launcher',
		name: mode,
		facts: { devices: path.slice(0, -(options.outside ?? 2)), translates: translating.includes(mode) },
	};
}

/** The pod's end of the veth pair. */
export async function podHop({ deps, layout, workload, signal }: ShowContext): Promise<Hop> {
	const { netns } = podPlaces(layout.node(workload.node).kubeletState, workload.pod);
	const text = await run(deps, [...enterNode(layout, workload.node), 'nsenter', `--net=${netns}`, '--', ...addressCommand], { signal });
	return { kind: 'pod', name: device, facts: { ...addressFacts(parseAddressedLink(text)), netns } };
}

/** The node's end of the veth pair. */
export async function vethHop(context: ShowContext): Promise<Hop> {
	const { name } = await context.plugged();
	const link = await nodeLink(context, name);
	return { kind: 'veth', name, facts: { carrier: hasCarrier(link), mtu: link.mtu, ifindex: link.ifindex, peerIfindex: link.link_index } };
}

/** Where the path leaves the node past Open vSwitch. Its MTU is that of its own network. */
export async function nicHop(context: ShowContext, name: string): Promise<Hop> {
	const link = await nodeLink(context, name);
	return { kind: 'NIC of the node', name, facts: { carrier: hasCarrier(link), ifindex: link.ifindex } };
}

function addressFacts({ mac, mtu, up, addresses }: AddressedLink): Hop['facts'] {
	return { addresses, mac, mtu, up };
}

async function opener(context: ShowContext): Promise<TapOpener> {
	const { name } = await context.plugged();
	const found = findTapOpener(context.layout, name);
	if (!found) throw new CodedError('SHOW_TAP', `no process of the lab holds ${name} open`);
	return found;
}

async function nodeLink({ deps, layout, workload, signal }: ShowContext, name: string) {
	const command = ['ip', '-json', '-details', 'link', 'show', 'dev', name];
	const link = parseDetailedLink(await run(deps, [...enterNode(layout, workload.node), ...command], { signal }));
	if (!link) throw new CodedError('SHOW_LINK', `node ${workload.node} has no device ${name}`);
	return link;
}
