import { createNamespace, deleteNamespace, Namespace, openRoute, setLink } from '@tapestry/linux';
import type { CniDeps } from './cni/invoke.ts';
import { addToNetwork, removeFromNetwork } from './cni/network.ts';
import type { CniAttachment, CniResult } from './cni/types.ts';
import type { PodRecord, SandboxRecord } from './record.ts';

/** The interface that every plugin makes for Kubernetes. */
const ifname = 'eth0';

/** Makes a pod's network namespace and adds it to the network. @throws CNI_PLUGIN; then `removeSandbox` clears up */
export async function createSandbox(
	deps: CniDeps,
	record: PodRecord,
	sandbox: SandboxRecord,
	options: { readonly binDir: string; readonly signal: AbortSignal },
): Promise<CniResult> {
	// A kubelet that was killed may have left its name.
	deleteNamespace(sandbox.netns);
	createNamespace(sandbox.netns);
	{
		using namespace = Namespace.open(sandbox.netns);
		using socket = openRoute(namespace);
		setLink(socket, 'lo', { up: true });
	}
	return addToNetwork(deps, { ...options, network: sandbox.network, attachment: attachmentOf(record, sandbox) });
}

/** Takes the sandbox out of the network and deletes its namespace. Does nothing where there is nothing. @throws CNI_PLUGIN */
export async function removeSandbox(
	deps: CniDeps,
	record: PodRecord,
	sandbox: SandboxRecord,
	options: { readonly binDir: string; readonly signal: AbortSignal },
): Promise<void> {
	await removeFromNetwork(deps, { ...options, network: sandbox.network, attachment: attachmentOf(record, sandbox) }, sandbox.result);
	deleteNamespace(sandbox.netns);
}

/** The CNI_ARGS are those that container runtimes give. */
function attachmentOf({ name, namespace, uid }: PodRecord, { containerId, netns }: SandboxRecord): CniAttachment {
	const args = {
		IgnoreUnknown: '1',
		K8S_POD_NAMESPACE: namespace,
		K8S_POD_NAME: name,
		K8S_POD_INFRA_CONTAINER_ID: containerId,
		K8S_POD_UID: uid,
	};
	return { containerId, netns, ifname, args };
}
