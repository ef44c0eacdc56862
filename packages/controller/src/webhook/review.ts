import { isDeepStrictEqual } from 'node:util';
import { sentence } from '@tapestry/base';
import type { KubeObject } from '@tapestry/kube';
import type { Problem } from '@tapestry/network';
import { trafficValidators } from './traffic-validators.ts';
import { type Surroundings, type Validator, type ValidatorOptions, validators } from './validators.ts';

/** AdmissionRequest of admission.k8s.io/v1, the part that is read. */
export interface AdmissionRequest {
	readonly uid: string;
	readonly resource: { readonly group: string; readonly resource: string };
	readonly operation: string;
	readonly object?: KubeObject | null;
	readonly oldObject?: KubeObject | null;
}

/** AdmissionResponse without its uid. */
export interface AdmissionResponse {
	readonly allowed: boolean;
	readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
	readonly patchType?: 'JSONPatch';
	/** Base64 of an RFC 6902 patch. */
	readonly patch?: string;
}

export const allowed: AdmissionResponse = { allowed: true };

export function refused(problems: readonly Problem[]): AdmissionResponse {
	return { allowed: false, status: { code: 403, reason: 'Forbidden', message: problems.map(sentence).join('; ') } };
}

/**
 * Refuses an object that can be seen to be wrong, with what, why and how to mend it. A change is refused for what it makes worse, never for
 * what was wrong before: an object from a time without this webhook can still be mended step by step, finalized and deleted.
 */
export function reviewObject(request: AdmissionRequest, surroundings: Surroundings, options: ValidatorOptions): AdmissionResponse {
	const { resource, object, oldObject } = request;
	const validator = [...validators, ...trafficValidators].find(
		({ group, plural }) => group === resource.group && plural === resource.resource,
	);
	if (!validator || !object || object.metadata.deletionTimestamp) return allowed;
	if (oldObject && isDeepStrictEqual(readBy(validator, object), readBy(validator, oldObject))) return allowed;
	const problemsOf = (candidate: KubeObject): readonly Problem[] =>
		validator.problems(asYoungest(candidate) as never, surroundings, options).filter(({ reason }) => validator.refuses.includes(reason));
	const before = oldObject ? problemsOf(oldObject) : [];
	const added = problemsOf(object).filter((problem) => !before.some((known) => isDeepStrictEqual(known, problem)));
	return added.length > 0 ? refused(added) : allowed;
}

function readBy({ reads }: Validator, object: KubeObject): unknown {
	return reads ? reads({ spec: {}, ...object } as never) : object.spec;
}

/** Whoever comes, or changes what it claims, has to fit in with all that is there, whatever its age. */
function asYoungest({ metadata: { creationTimestamp: _, ...metadata }, ...object }: KubeObject): KubeObject {
	return { spec: {}, ...object, metadata };
}
