import type { KubeObject, ObjectChange } from '@tapestry/kube';

/** Whether an object came, went, or has another spec, which its generation counts; false where only its status or metadata is another. */
export function isSpecChange({ before, after }: ObjectChange<KubeObject>): boolean {
	return !before || !after || before.metadata.generation !== after.metadata.generation;
}
