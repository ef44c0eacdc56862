import { join } from 'node:path';
import type { Pod } from '@tapestry/kube';

export interface PodPlaces {
	/** Path of the pod's network namespace, seen from its node. */
	readonly netns: string;
	/** What the kubelet and, for a virtual machine, the launcher keep about the pod. */
	readonly directory: string;
}

/** File names have at most 255 bytes, pod names up to 253. */
const longestName = 240;

/** Where a pod's namespace and files are. @param state the kubelet's state directory */
export function podPlaces(state: string, pod: { readonly metadata: Pick<Pod['metadata'], 'name' | 'uid'> }): PodPlaces {
	const { name, uid = '' } = pod.metadata;
	return { netns: `/run/netns/${name.slice(0, longestName)}-${uid.slice(0, 8)}`, directory: join(state, 'pods', uid) };
}
