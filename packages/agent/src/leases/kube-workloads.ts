import { CodedError, type Signal } from '@tapestry/base';
import { type KubeClient, keyOf, type Pod, type Reflector } from '@tapestry/kube';
import {
	type AttachmentModeName,
	annotations,
	type IpLease,
	isLauncher,
	labels,
	machineOfLauncher,
	type Subnet,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
} from '@tapestry/network';
import type { PodRef, Workload } from '../port.ts';
import { waitFor } from '../wait-for.ts';
import { portOfLease } from './lease.ts';
import { queuesOf, wayOf } from './machine.ts';
import { podWay } from './pod-way.ts';
import type { WorkloadSource } from './workload-source.ts';

export interface KubeWorkloadDeps {
	readonly client: Pick<KubeClient, 'get'>;
	/** The pods of this node. */
	readonly pods: Reflector<Pod>;
	/** The leases of this node. */
	readonly leases: Reflector<IpLease>;
	readonly subnets: Reflector<Subnet>;
}

/** What virt-handler makes by itself, from a plain interface of the pod (KubeVirt, pkg/network/setup). */
const coreBindings: readonly AttachmentModeName[] = ['bridge', 'managedtap', 'masquerade', 'passt'];

interface Found {
	readonly pod: Pod;
	readonly lease: IpLease;
	readonly subnet: Subnet;
}

/** Leases by watch of the Kubernetes API. What annotations of a pod say is not asked: users can write them. */
export class KubeWorkloads implements WorkloadSource {
	readonly #deps: KubeWorkloadDeps;
	readonly #mtu: number;
	readonly #hasVirtHandler: boolean;
	#ready = false;

	/** @param options.mtu for subnets that set none */
	constructor(deps: KubeWorkloadDeps, options: { readonly mtu: number; readonly hasVirtHandler?: boolean }) {
		this.#deps = deps;
		this.#mtu = options.mtu;
		this.#hasVirtHandler = options.hasVirtHandler ?? false;
		const { pods, leases, subnets } = deps;
		Promise.all([pods.synced(), leases.synced(), subnets.synced()]).then(
			() => {
				this.#ready = true;
			},
			// Closed before the first list was in.
			() => {},
		);
	}

	get ready(): boolean {
		return this.#ready;
	}

	async workload(ref: PodRef, signal: Signal): Promise<Workload> {
		const refused = new Set<string>();
		for (;;) {
			const found = await waitFor(
				(listener) => this.#subscribe(listener),
				() => this.#find(ref, refused),
				signal,
				() => this.#noLease(ref, signal),
			);
			const port = portOfLease(found.lease, found.subnet, this.#mtu);
			if (!isLauncher(found.pod)) return { kind: 'pod', port, mode: podWay(found.pod) };
			const instance = await this.#instance(found.pod, signal);
			if (holds(instance, port.ownerUid)) {
				const way = wayOf(instance, found.subnet, found.pod.spec?.hostNetwork === true);
				// To these KubeVirt's own agent adds all that is behind the interface of an ordinary pod.
				if (this.#hasVirtHandler && coreBindings.includes(way.mode)) return { kind: 'pod', port };
				return { kind: 'machine', port, queues: queuesOf(instance), ...way };
			}
			// The lease of a machine of the same name that was deleted: its successor's is on the way.
			refused.add(port.ownerUid);
		}
	}

	#find(ref: PodRef, refused: ReadonlySet<string>): Found | undefined {
		const pod = this.#pod(ref);
		if (!pod) return undefined;
		const lease = [...this.#deps.leases.objects.values()].find((candidate) => !refused.has(ownerUid(candidate)) && isFor(candidate, pod));
		const subnet = lease?.spec.subnet === undefined ? undefined : this.#deps.subnets.objects.get(lease.spec.subnet);
		return lease && subnet && { pod, lease, subnet };
	}

	/** A pod of the same name with another UID is a predecessor that the watch still shows. */
	#pod(ref: PodRef): Pod | undefined {
		const pod = this.#deps.pods.objects.get(keyOf({ metadata: ref }));
		return pod && (ref.uid === '' || pod.metadata.uid === ref.uid) ? pod : undefined;
	}

	#instance(pod: Pod, signal: Signal): Promise<VirtualMachineInstance> {
		const { namespace = '', labels: own = {}, ownerReferences = [] } = pod.metadata;
		const name = ownerReferences.find(({ kind }) => kind === 'VirtualMachineInstance')?.name ?? own[labels.kubevirtVmName] ?? '';
		return this.#deps.client.get<VirtualMachineInstance>(virtualMachineInstanceResource, { namespace, name }, { signal });
	}

	#subscribe(listener: () => void): () => void {
		const { pods, leases, subnets } = this.#deps;
		const stops = [pods.onChange(listener), leases.onChange(listener), subnets.onChange(listener)];
		return () => {
			for (const stop of stops) stop();
		};
	}

	#noLease(ref: PodRef, signal: Signal): CodedError {
		const name = `${ref.namespace}/${ref.name}`;
		const pod = this.#pod(ref);
		const why = pod ? reasons(pod) : 'the Kubernetes API does not show the pod on this node';
		return new CodedError(
			'AGENT_NO_LEASE',
			{ what: `pod ${name} has no address yet`, why, fix: `kubectl describe pod -n ${ref.namespace} ${ref.name}` },
			{ cause: signal.reason },
		);
	}
}

const ownerUid = (lease: IpLease): string => lease.metadata.labels?.[labels.ownerUid] ?? '';

/** A pod's lease carries its UID; a machine's is found by the machine's name, as its launcher pods come and go. */
function isFor(lease: IpLease, pod: Pod): boolean {
	if (!isLauncher(pod)) return ownerUid(lease) === pod.metadata.uid;
	const machine = machineOfLauncher(pod);
	const owner = lease.metadata.annotations?.[annotations.owner];
	return owner === `VirtualMachine/${machine}` || owner === `VirtualMachineInstance/${machine}`;
}

/** Whether the lease is the instance's own or that of the machine it belongs to. */
function holds(instance: VirtualMachineInstance, uid: string): boolean {
	return instance.metadata.uid === uid || (instance.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
}

/** Conditions of kubelet and scheduler, which say nothing about addresses. */
const foreign: ReadonlySet<string> = new Set(['Ready', 'ContainersReady', 'Initialized', 'PodScheduled', 'PodReadyToStartContainers']);

function reasons(pod: Pod): string {
	const failed = (pod.status?.conditions ?? []).filter(({ type, status }) => status === 'False' && !foreign.has(type));
	if (failed.length === 0) return 'the controller has not given it one';
	return failed.map(({ type, reason, message }) => `condition ${type}: ${message ?? reason ?? 'False'}`).join('; ');
}
