import type { Signal } from '@tapestry/base';
import { findLink } from '@tapestry/linux';
import type { IntegrationBridge, SwitchPort } from '../switch/integration-bridge.ts';
import { type Attachment, attachmentKey } from './attachment.ts';
import { handToSwitch, type SwitchSide } from './host-side.ts';

type Plug = Pick<Attachment, 'device' | 'port'>;

/** The attachment's device as a port of the switch, with marks by which it can be told apart and found without the journal. */
export function switchPort(attachment: Attachment): SwitchPort {
	const { device, netns, pod, port } = attachment;
	return {
		device,
		ifaceId: port.name,
		ifaceIdVersion: port.ownerUid,
		about: {
			'attached-mac': port.mac,
			sandbox: attachmentKey(attachment),
			pod_netns: netns,
			pod_name: pod.name,
			pod_namespace: pod.namespace,
		},
	};
}

/** Plugs the device in. Resolves when its flows are there. */
export async function plugIn(bridge: IntegrationBridge, attachment: Attachment, signal: Signal): Promise<void> {
	const row = await bridge.add(switchPort(attachment), { signal });
	await bridge.installed(row, signal);
}

/** After an agent's restart the kernel and Open vSwitch still hold the port. The precautions are renewed, as somebody may have flushed them. */
export function renewPrecautions(side: SwitchSide, plug: Plug): void {
	if (findLink(side.host.route, plug.device)) handToSwitch(side, plug);
}

/** How the device on the node and its port are. @param what the device is to people who read of it */
export function plugState(
	{ host, bridge }: SwitchSide,
	{ device, port }: Plug,
	what: string,
): { readonly connected: boolean; readonly faults: readonly string[] } {
	const plugged = bridge.port(device);
	const faults = findLink(host.route, device) ? [] : [`${device}, ${what}, is gone`];
	return { connected: plugged?.installed === true, faults: [...faults, ...portFaults(bridge, { device, port })] };
}

/** What is wrong with the port, whatever its device is. */
export function portFaults(bridge: IntegrationBridge, { device, port }: Plug): readonly string[] {
	const plugged = bridge.port(device);
	const faults: string[] = [];
	if (plugged?.ifaceId !== port.name) faults.push(`${device} is not plugged into ${bridge.name} as ${port.name}`);
	if (plugged?.error) faults.push(`Open vSwitch cannot use ${device}: ${plugged.error}`);
	return faults;
}
