import { isDeepStrictEqual } from 'node:util';
import { type CodedError, isCoded, type Signal } from '@tapestry/base';
import {
	type Condition,
	crdsEstablished,
	createEventRecorder,
	createIndex,
	createReflector,
	createWorkQueue,
	type EventText,
	findCondition,
	type KubeDeps,
	type KubeObject,
	type Node,
	nodes as nodesResource,
	type Pod,
	pods as podsResource,
	type Resource,
} from '@tapestry/kube';
import {
	labels,
	type VirtualMachine,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
	virtualMachineResource,
} from '@tapestry/network';
import { decideInstance, refusedStatus } from './instance.ts';
import { decideMachine } from './machine.ts';

/** Keys at work at once, of each kind. */
const concurrency = 4;

/**
 * Runs the VirtualMachines of kubevirt.io as KubeVirt's virt-controller does: machine to instance to launcher pod, and the pod's state back. The only writer of
 * both statuses. Goes on until the signal is aborted; calls `onReady` when it watches.
 */
export async function runVirtController(deps: KubeDeps, signal: Signal, onReady: () => void): Promise<void> {
	const { client, clock, log } = deps;
	const kinds = [virtualMachineResource, virtualMachineInstanceResource];
	await crdsEstablished(
		deps,
		kinds.map(({ plural, group }) => `${plural}.${group}`),
		signal,
	);
	await using machines = createReflector<VirtualMachine>(deps, { resource: virtualMachineResource });
	await using instances = createReflector<VirtualMachineInstance>(deps, { resource: virtualMachineInstanceResource });
	await using pods = createReflector<Pod>(deps, { resource: podsResource, labelSelector: `${labels.kubevirt}=virt-launcher` });
	await using nodes = createReflector<Node>(deps, { resource: nodesResource });
	using podsByOwner = createIndex(pods, ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid));
	const events = createEventRecorder(deps, { component: 'virtualmachine-controller' });
	const machineQueue = createWorkQueue(deps);
	const instanceQueue = createWorkQueue(deps);

	machines.onChange(({ key }) => machineQueue.add(key));
	instances.onChange(({ key }) => {
		instanceQueue.add(key);
		machineQueue.add(key);
	});
	pods.onChange(({ before, after }) => {
		for (const pod of [before, after]) if (pod !== undefined) addInstanceOf(pod);
	});
	nodes.onChange(({ key }) => {
		if (isLost(key)) for (const pod of pods.objects.values()) if (pod.spec?.nodeName === key) addInstanceOf(pod);
	});

	function addInstanceOf({ metadata }: Pod): void {
		const owner = metadata.ownerReferences?.find(({ kind }) => kind === virtualMachineInstanceResource.kind);
		if (owner) instanceQueue.add(`${metadata.namespace}/${owner.name}`);
	}

	/** Given up by the node lifecycle controller, which then evicts the node's pods. */
	function isLost(node: string): boolean {
		const taints = nodes.objects.get(node)?.spec?.taints ?? [];
		return taints.some(({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute');
	}

	async function reconcileMachine(key: string): Promise<void> {
		const vm = machines.objects.get(key);
		if (vm === undefined) return;
		const instance = instances.objects.get(key);
		const { status, finalizers, create, remove, againMs } = decideMachine(vm, instance, clock.now());
		let current = vm;
		// First the status: it counts the failures, and what was counted must not be lost with this process.
		if (!isDeepStrictEqual(status, vm.status)) {
			current = await client.replace(virtualMachineResource, { ...vm, status }, { subresource: 'status' });
			const failure = findCondition(status.conditions, 'Failure');
			if (failure !== undefined && failure.message !== findCondition(vm.status?.conditions, 'Failure')?.message) report(vm, failure);
		}
		if (finalizers !== undefined) await replaceFinalizers(virtualMachineResource, current, finalizers);
		if (againMs !== undefined) machineQueue.addAfter(key, againMs);
		if (remove && instance !== undefined && (await removeOne(virtualMachineInstanceResource, instance))) {
			record(vm, { type: 'Normal', reason: 'SuccessfulDelete', message: `Stopped the virtual machine by deleting the instance ${key}` });
		}
		// It may be there already and not be seen yet: the watch will tell.
		if (create !== undefined && (await succeeds(client.create(virtualMachineInstanceResource, create), ['KUBE_EXISTS']))) {
			record(vm, { type: 'Normal', reason: 'SuccessfulCreate', message: `Started the virtual machine by creating the instance ${key}` });
		}
	}

	async function reconcileInstance(key: string): Promise<void> {
		const instance = instances.objects.get(key);
		if (instance === undefined) return;
		const owned = [...podsByOwner.get(instance.metadata.uid ?? '')];
		const { status, finalizers, create, remove, abandon, againMs } = decideInstance(instance, owned, clock.now(), isLost);
		let current = instance;
		if (!isDeepStrictEqual(status, instance.status)) {
			current = await client.replace(virtualMachineInstanceResource, { ...instance, status }, { subresource: 'status' });
		}
		if (againMs !== undefined) instanceQueue.addAfter(key, againMs);
		for (const pod of remove) await removeOne(podsResource, pod);
		for (const pod of abandon) {
			log.warn('giving up a launcher pod: its node is unreachable', { pod: pod.metadata.name, node: pod.spec?.nodeName });
			await removeOne(podsResource, pod, { gracePeriodSeconds: 0 });
		}
		if (finalizers !== undefined) {
			// Should the watch not bring the pod, because it is gone before it is seen, this does.
			if (current.metadata.deletionTimestamp !== undefined && (await hasPods(current))) return instanceQueue.addAfter(key, 1_000);
			await replaceFinalizers(virtualMachineInstanceResource, current, finalizers);
		}
		if (create !== undefined) await createPod(current, create);
	}

	/** The last look before an instance goes: a pod that was made a moment ago may not be in our copy yet. */
	async function hasPods({ metadata }: VirtualMachineInstance): Promise<boolean> {
		const labelSelector = `${labels.kubevirtCreatedBy}=${metadata.uid}`;
		const namespace = metadata.namespace ?? '';
		return (await client.list(podsResource, { namespace, labelSelector })).items.length > 0;
	}

	async function createPod(instance: VirtualMachineInstance, pod: Pod): Promise<void> {
		try {
			await client.create(podsResource, pod);
			log.info('launcher pod created', { pod: pod.metadata.name, namespace: pod.metadata.namespace });
		} catch (error) {
			if (isCoded(error, 'KUBE_EXISTS')) return;
			if (isCoded(error, 'KUBE_INVALID') || isCoded(error, 'KUBE_FORBIDDEN')) await reportRefusal(instance, error);
			throw error;
		}
	}

	async function reportRefusal(instance: VirtualMachineInstance, { message }: CodedError): Promise<void> {
		const status = refusedStatus(instance, message, clock.now());
		if (isDeepStrictEqual(status, instance.status)) return;
		await client.replace(virtualMachineInstanceResource, { ...instance, status }, { subresource: 'status' });
		events.record(virtualMachineInstanceResource, instance, { type: 'Warning', reason: 'FailedCreate', message });
	}

	/** False when it is gone already, or another one of the same name is there. */
	function removeOne(resource: Resource, object: KubeObject, options: { readonly gracePeriodSeconds?: number } = {}): Promise<boolean> {
		const { uid } = object.metadata;
		const request = client.remove(resource, object.metadata, { ...options, ...(uid === undefined ? {} : { uid }) });
		return succeeds(request, ['KUBE_NOT_FOUND', 'KUBE_CONFLICT']);
	}

	async function replaceFinalizers(resource: Resource, object: KubeObject, finalizers: readonly string[]): Promise<void> {
		const metadata = { ...object.metadata, finalizers };
		await succeeds(client.replace(resource, { ...object, metadata }), ['KUBE_NOT_FOUND']);
	}

	function report(vm: VirtualMachine, { reason = '', message = '' }: Condition): void {
		log.warn('machine cannot run', { machine: vm.metadata.name, namespace: vm.metadata.namespace, reason, message });
		record(vm, { type: 'Warning', reason, message });
	}

	function record(vm: VirtualMachine, text: EventText): void {
		events.record(virtualMachineResource, vm, text);
	}

	await Promise.all([machines, instances, pods, nodes].map((reflector) => reflector.synced(signal)));
	onReady();
	await Promise.all([machineQueue.run(concurrency, reconcileMachine, signal), instanceQueue.run(concurrency, reconcileInstance, signal)]);
	await events.flush();
}

/** True when the request succeeded, false when it failed with one of the codes. */
async function succeeds(request: Promise<unknown>, codes: readonly string[]): Promise<boolean> {
	try {
		await request;
		return true;
	} catch (error) {
		if (codes.some((code) => isCoded(error, code))) return false;
		throw error;
	}
}
