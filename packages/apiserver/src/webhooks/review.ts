import { apiVersionOf } from '@tapestry/kube';
import { type ApiObject, isRecord, type MutableJson, recordAt, stringAt, stringsAt } from '../objects.ts';
import { type Endpoint, toServed, toStored } from '../registry/kind.ts';
import type { Attributes } from './attributes.ts';
import type { HookType } from './hook.ts';

const apiVersion = 'admission.k8s.io/v1';

/** Whoever holds the server's token. */
const userInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** AdmissionReview v1: the question. `endpoint` is the version that the webhook asked for. */
export function reviewOf(attributes: Attributes, endpoint: Endpoint, uid: string): object {
	const { operation, subresource, name, namespace, object, oldObject, dryRun, options } = attributes;
	const shown = (candidate: ApiObject | undefined): ApiObject | null =>
		candidate === undefined ? null : convert(candidate, attributes.endpoint, endpoint);
	return {
		kind: 'AdmissionReview',
		apiVersion,
		request: {
			uid,
			kind: kindOf(endpoint, subresource),
			resource: resourceOf(endpoint),
			...(subresource ? { subResource: subresource.name } : {}),
			requestKind: kindOf(attributes.endpoint, subresource),
			requestResource: resourceOf(attributes.endpoint),
			...(subresource ? { requestSubResource: subresource.name } : {}),
			...(name ? { name } : {}),
			...(namespace ? { namespace } : {}),
			operation,
			userInfo,
			object: shown(object),
			oldObject: shown(oldObject),
			dryRun,
			options: { kind: optionKinds[operation], apiVersion: 'meta.k8s.io/v1', ...options },
		},
	};
}

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** One version's object as another version has it. */
export function convert(object: ApiObject, from: Endpoint, to: Endpoint): ApiObject {
	return apiVersionOf(from) === apiVersionOf(to) ? object : toServed(to, toStored(from, object));
}

function kindOf(endpoint: Endpoint, subresource: Attributes['subresource']): object {
	const { group = endpoint.group, version = endpoint.version, kind = endpoint.kind.kind } = subresource ?? {};
	return { group, version, kind };
}

function resourceOf({ group, version, kind }: Endpoint): object {
	return { group, version, resource: kind.plural };
}

export interface Verdict {
	readonly allowed: boolean;
	/** RFC 6902, from a mutating webhook that changes something. */
	readonly patch: unknown;
	/** The Status that explains a refusal. */
	readonly status: MutableJson | undefined;
	readonly warnings: readonly string[];
}

/** AdmissionReview v1: the answer. Throws Error in the words of k8s.io/apiserver/pkg/admission/plugin/webhook/request. */
export function readVerdict(answer: unknown, uid: string, type: HookType): Verdict {
	const response = recordAt(answer, 'response');
	if (!response) throw new Error('webhook response was absent');
	const [version, kind] = [stringAt(answer, 'apiVersion') ?? '', stringAt(answer, 'kind') ?? ''];
	if (version !== apiVersion || kind !== 'AdmissionReview') {
		throw new Error(`expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${version}, Kind=${kind}`);
	}
	if (response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
	const { patch, patchType, status } = response;
	if (type === 'validating' && (patch || patchType)) {
		throw new Error(`validating webhook may not return response.${patch ? 'patch' : 'patchType'}`);
	}
	if (patch && !patchType) throw new Error('webhook returned response.patch but not response.patchType');
	if (patchType && !patch) throw new Error('webhook returned response.patchType but not response.patch');
	if (patchType && patchType !== 'JSONPatch')
		throw new Error(`webhook returned invalid response.patchType of ${JSON.stringify(patchType)}`);
	return {
		allowed: response.allowed === true,
		patch: typeof patch === 'string' && patch !== '' ? JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) : undefined,
		status: isRecord(status) ? status : undefined,
		warnings: stringsAt(response, 'warnings'),
	};
}
