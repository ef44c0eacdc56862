import { type Clock, type CodedError, isCoded } from '@tapestry/base';
import { type Condition, type KubeClient, setCondition } from '@tapestry/kube';
import { type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';

/** Another writer is virt-controller, which writes when something changes: it gives way sooner than this. */
const attempts = 5;

/**
 * Says on the instance why its machine does not run: the condition is the one that KubeVirt's virt-handler sets. virt-controller keeps it and
 * passes it on to the VirtualMachine.
 */
export async function reportFailure(
	deps: { readonly client: KubeClient; readonly clock: Clock },
	instance: VirtualMachineInstance,
	error: CodedError,
): Promise<void> {
	const { client, clock } = deps;
	const { uid } = instance.metadata;
	const condition: Omit<Condition, 'lastTransitionTime'> = {
		type: 'Synchronized',
		status: 'False',
		reason: error.code,
		message: error.message,
	};
	for (let attempt = 1; ; attempt++) {
		const current = await client.get<VirtualMachineInstance>(virtualMachineInstanceResource, instance.metadata);
		// One of the same name that came after it has a launcher of its own.
		if (current.metadata.uid !== uid) return;
		const conditions = setCondition(current.status?.conditions, condition, clock.now());
		try {
			const status = { ...current.status, conditions };
			await client.replace(virtualMachineInstanceResource, { ...current, status }, { subresource: 'status' });
			return;
		} catch (conflict) {
			if (!isCoded(conflict, 'KUBE_CONFLICT') || attempt === attempts) throw conflict;
		}
	}
}
