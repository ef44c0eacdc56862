import { createHash } from 'node:crypto';
import type { Affinity, Pod, Toleration } from '@tapestry/kube';
import { annotations, labels, type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';
import { nameSuffix } from '../name-suffix.ts';
import { controllerReference } from './new-instance.ts';

/** What an instance may say about its node beside nodeSelector; the schema passes it along. */
interface Placement {
	readonly affinity?: Affinity;
	readonly tolerations?: readonly Toleration[];
}

/** KubeVirt's default, and what it adds for the launcher itself; in seconds. */
const defaultGrace = 30;
const launcherGrace = 15;

/** Kubernetes, "Labels and Selectors" and "Object Names and IDs". Machines have names as long as any object's. */
const longestLabel = 63;
const longestPodName = 253;

/**
 * The pod that an instance runs in. Its name follows from the instance's UID: making it twice is refused by the API server. The label with
 * the machine's name is shortened where it must be; the annotation always holds the whole name.
 */
export function launcherPod(instance: VirtualMachineInstance): Pod {
	const { name, namespace, uid = '' } = instance.metadata;
	const { nodeSelector, terminationGracePeriodSeconds = defaultGrace } = instance.spec;
	const { affinity, tolerations } = instance.spec as Placement;
	const suffix = nameSuffix(uid);
	return {
		metadata: {
			name: `${shortened(`virt-launcher-${name}`, longestPodName - suffix.length - 1)}-${suffix}`,
			...(namespace === undefined ? {} : { namespace }),
			labels: {
				...instance.metadata.labels,
				[labels.kubevirt]: 'virt-launcher',
				[labels.kubevirtVmName]: shortened(name, longestLabel),
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

/** The text itself, or its beginning and eight digits of its hash. */
function shortened(text: string, length: number): string {
	if (text.length <= length) return text;
	const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
	// What stands before a dash must not end a label of a DNS name.
	return `${text.slice(0, length - digest.length - 1).replace(/[.-]+$/, '')}-${digest}`;
}
