import {
	type Attachment,
	type AttachmentMode,
	type AttachmentModes,
	deviceName,
	type ModeName,
	podModeOf,
	podModes,
} from '../attach/attachment.ts';
import type { PodRef, Port, Workload } from '../port.ts';
import { CniError, cniCodes } from './error.ts';
import type { AttachmentParameters, NetworkConfig } from './request.ts';

/** A virtual function's address, as Linux writes it. */
const pciAddress = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** The attachment that an ADD is about to make. Throws CNI code 7 when it takes a device and the configuration names none. */
export function attachmentOf(id: AttachmentParameters, config: NetworkConfig, pod: PodRef, workload: Workload): Attachment {
	const mode = workload.kind === 'machine' ? (workload.mode ?? 'lift') : podModeOf[workload.mode ?? 'veth'];
	const { forward, parent } = workload.kind === 'machine' ? workload : {};
	return {
		containerId: id.containerId,
		ifname: id.ifname,
		network: config.name,
		netns: id.netns,
		pod,
		mode,
		device: deviceName(mode, id),
		port: workload.port,
		queues: workload.kind === 'machine' ? workload.queues : 1,
		...(forward ? { forward } : {}),
		...(parent === undefined ? {} : { parent }),
		...(mode === 'vfio' ? { pciAddress: virtualFunctionOf(config) } : {}),
		complete: false,
	};
}

function virtualFunctionOf({ deviceId }: NetworkConfig): string {
	if (deviceId !== undefined && pciAddress.test(deviceId)) return deviceId;
	throw new CniError(
		cniCodes.invalidConfig,
		'the pod cannot be connected by vfio',
		deviceId === undefined
			? 'the network configuration has no "deviceID" (fix: let the pod request a virtual function, and the NetworkAttachmentDefinition name its resource in k8s.v1.cni.cncf.io/resourceName)'
			: `"deviceID" is "${deviceId}", not a PCI address such as 0000:18:02.5`,
	);
}

/** What ADD answers. Where a launcher's `eth0` only shows the machine's addresses there is no way out of its namespace. */
export function shownPort({ servesSandbox }: AttachmentMode, port: Port): Port {
	return servesSandbox ? port : { ...port, addresses: port.addresses.map(({ address }) => ({ address })) };
}

/** Throws CNI code 50 when the node lacks what a mode takes, with what it lacks and which modes would work. */
export async function requireMode(mode: AttachmentMode, modes: AttachmentModes, attachment?: Attachment): Promise<void> {
	const missing = await mode.probe(attachment);
	if (missing.length === 0) return;
	const others = Object.values(modes).filter(({ name }) => name !== mode.name && podModes.includes(name) === podModes.includes(mode.name));
	const able = await Promise.all(others.map(async (other) => ((await other.probe()).length === 0 ? [other.name] : [])));
	throw new CniError(
		cniCodes.notAvailable,
		`this node cannot connect a machine by ${asAsked(mode.name)}`,
		`${missing.join('; ')} (fix: provide it, run the machine on another node, or use one of ${able.flat().map(asAsked).join(', ')})`,
	);
}

const asAsked = (mode: ModeName): string => Object.entries(podModeOf).find(([, name]) => name === mode)?.[0] ?? mode;

/** The pod that a runtime names in CNI_ARGS. Throws CNI code 4. */
export function podOf(args: Readonly<Record<string, string>>): PodRef {
	const name = args.K8S_POD_NAME ?? '';
	const namespace = args.K8S_POD_NAMESPACE ?? '';
	if (name === '' || namespace === '') {
		throw new CniError(
			cniCodes.environment,
			'CNI_ARGS does not name the pod',
			'K8S_POD_NAMESPACE and K8S_POD_NAME are needed: addresses are leased to pods of the Kubernetes API',
		);
	}
	return { name, namespace, uid: args.K8S_POD_UID ?? '' };
}
