import { createHash } from 'node:crypto';
import type { Affinity, Pod, Toleration } from '@tapestry/kube';
import { annotations, labels, type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';
import { controllerReference } from './new-instance.ts';

/** What an instance may say about its node beside nodeSelector; the schema passes it along. */
interface Placement {
	readonly affinity?: Affinity;
	readonly tolerations?: readonly Toleration[];
}

/** The letters of Kubernetes' generated names: none that spells words, none that looks like another. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** KubeVirt's default, and what it adds for the launcher itself; in seconds. */
const defaultGrace = 30;
const launcherGrace = 15;

/** The pod that an instance runs in. Its name follows from the instance's UID: making it twice is refused by the API server. */
export function launcherPod(instance: VirtualMachineInstance): Pod {
	const { name, namespace, uid = '' } = instance.metadata;
	const { nodeSelector, terminationGracePeriodSeconds = defaultGrace } = instance.spec;
	const { affinity, tolerations } = instance.spec as Placement;
	return {
		metadata: {
			name: `virt-launcher-${name}-${suffixOf(uid)}`,
			...(namespace === undefined ? {} : { namespace }),
			labels: {
				...instance.metadata.labels,
				[labels.kubevirt]: 'virt-launcher',
				[labels.kubevirtVmName]: name,
				[labels.kubevirtCreatedBy]: uid,
			},
			annotations: { ...instance.metadata.annotations, [annotations.kubevirtDomain]: name },
			ownerReferences: [controllerReference(virtualMachineInstanceResource, instance.metadata)],
		},
		spec: {
			containers: [{ name: 'compute', image: 'tapestry.io/lab/virt-launcher' }],
			restartPolicy: 'Never',
			terminationGracePeriodSeconds: terminationGracePeriodSeconds + launcherGrace,
			...(nodeSelector === undefined ? {} : { nodeSelector }),
			...(affinity === undefined ? {} : { affinity }),
			...(tolerations === undefined ? {} : { tolerations }),
		},
	};
}

function suffixOf(uid: string): string {
	return [...createHash('sha256').update(uid).digest().subarray(0, 5)].map((byte) => letters[byte % letters.length]).join('');
}
