import { CodedError, isCoded } from '@tapestry/base';
import { type KubeClient, type Pod, pods } from '@tapestry/kube';
import { annotations, labels, machineOfLauncher } from '@tapestry/network';
import type { Workload } from './workload.ts';

/** A pod, or a virtual machine seen through its launcher pod. */
export interface RunningWorkload extends Workload {
	readonly kind: 'pod' | 'vm';
	readonly node: string;
	readonly addresses: readonly string[];
	readonly mac: string;
	/** The pod itself; a virtual machine's is its launcher. */
	readonly pod: Pod;
}

/** The pods and virtual machines of a namespace that have a node and addresses. */
export async function listWorkloads(client: KubeClient, namespace: string): Promise<readonly RunningWorkload[]> {
	const { items } = await client.list<Pod>(pods, { namespace });
	return items.flatMap((pod) => {
		const workload = asWorkload(pod);
		return workload ? [workload] : [];
	});
}

/** @throws WORKLOAD_NOT_FOUND, WORKLOAD_NOT_RUNNING */
export async function findWorkload(client: KubeClient, workload: Workload): Promise<RunningWorkload> {
	const { kind, name, namespace } = workload;
	const found =
		kind === 'vm'
			? (await client.list<Pod>(pods, { namespace, labelSelector: `${labels.kubevirt}=virt-launcher` })).items.find(
					(pod) => isRunning(pod) && machineOfLauncher(pod) === `${namespace}/${name}`,
				)
			: await podNamed(client, namespace, name);
	const running = found && asWorkload(found);
	if (running) return running;
	throw new CodedError('WORKLOAD_NOT_RUNNING', {
		what: `${kind}/${name} in namespace ${namespace} does not run`,
		why: found ? 'it has no node or no address yet' : `no launcher pod of it runs`,
		fix: `see \`kubectl -n ${namespace} describe ${kind} ${name}\``,
	});
}

async function podNamed(client: KubeClient, namespace: string, name: string): Promise<Pod> {
	try {
		return await client.get<Pod>(pods, { namespace, name });
	} catch (cause) {
		if (!isCoded(cause, 'KUBE_NOT_FOUND')) throw cause;
		const what = `there is no pod ${name} in namespace ${namespace}`;
		throw new CodedError('WORKLOAD_NOT_FOUND', { what, fix: 'name another namespace with -n' }, { cause });
	}
}

function asWorkload(pod: Pod): RunningWorkload | undefined {
	const { name, namespace = 'default' } = pod.metadata;
	const node = pod.spec?.nodeName;
	const addresses = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
	if (!node || addresses.length === 0 || !isRunning(pod)) return undefined;
	const vm = machineOfLauncher(pod)?.slice(namespace.length + 1);
	const mac = pod.metadata.annotations?.[annotations.macAddress] ?? '';
	return { kind: vm ? 'vm' : 'pod', name: vm ?? name, namespace, node, addresses, mac, pod };
}

function isRunning(pod: Pod): boolean {
	return pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined;
}
