import { type Attachment, deviceName } from '../attach/attachment.ts';
import type { PodRef, Port, Workload } from '../port.ts';
import { CniError, cniCodes } from './error.ts';
import type { AttachmentParameters, NetworkConfig } from './request.ts';

/** The attachment that an ADD is about to make. */
export function attachmentOf(id: AttachmentParameters, config: NetworkConfig, pod: PodRef, workload: Workload): Attachment {
	const mode = workload.kind === 'machine' ? 'lift' : 'veth';
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
		complete: false,
	};
}

/** What ADD answers. A launcher's `eth0` only shows the machine's addresses; there is no way out of its namespace. */
export function shownPort({ kind, port }: Workload): Port {
	return kind === 'pod' ? port : { ...port, addresses: port.addresses.map(({ address }) => ({ address })) };
}

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
