import { isDeepStrictEqual } from 'node:util';
import { parseIp } from '@tapestry/base';
import {
	type ApiObject,
	childOf,
	type Draft,
	fillDefaults,
	isRecord,
	type MutableJson,
	recordAt,
	recordsAt,
	stringAt,
	valueAt,
} from '../objects.ts';
import type { FieldError } from '../schema/index.ts';
import type { Strategy } from './kind.ts';
import { invalidValue, notAllowed, required, unsupported } from './names.ts';
import { applyPodSpecDefaults, validatePodSpec } from './pod.ts';

// The smaller built-in kinds. What is left out here is stored as it comes.

export const namespaceStrategy: Strategy = {
	names: 'label',
	fields: ['status.phase'],
	create(draft) {
		draft.spec = { finalizers: ['kubernetes'] };
		draft.status = { phase: 'Active' };
		labelWithName(draft);
	},
	update(draft, before) {
		// Only the `finalize` subresource changes these.
		childOf(draft, 'spec').finalizers = valueAt(before, 'spec.finalizers');
		labelWithName(draft);
	},
};

/** Selectors of NetworkPolicies and webhooks rely on this label (Kubernetes documentation, "Automatic labelling"). */
function labelWithName(draft: Draft): void {
	draft.metadata.labels = { ...draft.metadata.labels, 'kubernetes.io/metadata.name': draft.metadata.name };
}

export const nodeStrategy: Strategy = {
	fields: ['spec.unschedulable'],
	create: (draft) => void childOf(draft, 'spec'),
	validate(object, before) {
		const [cidr, old] = [stringAt(object, 'spec.podCIDR'), stringAt(before, 'spec.podCIDR')];
		return old && cidr !== old ? [notAllowed('spec.podCIDR', 'node updates may not change podCIDR except from "" to valid')] : [];
	},
};

export const configMapStrategy: Strategy = {
	validate: (object, before) => [...dataErrors(object, 'data'), ...dataErrors(object, 'binaryData'), ...immutableErrors(object, before)],
};

export const secretStrategy: Strategy = {
	fields: ['type'],
	create: (draft) => {
		encodeStringData(draft);
		draft.type ??= 'Opaque';
	},
	update: (draft, before) => {
		encodeStringData(draft);
		draft.type ??= before.type;
	},
	validate(object, before) {
		const changed = before && object.type !== before.type ? [invalidValue('type', object.type, 'field is immutable')] : [];
		return [...dataErrors(object, 'data'), ...changed, ...immutableErrors(object, before)];
	},
};

function encodeStringData(draft: Draft): void {
	const plain = recordAt(draft, 'stringData');
	delete draft.stringData;
	if (!plain) return;
	const data = childOf(draft, 'data');
	for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(String(value)).toString('base64');
}

function dataErrors(object: ApiObject, field: string): FieldError[] {
	const why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
	const wrong = Object.keys(recordAt(object, field) ?? {}).filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key));
	return wrong.map((key) => invalidValue(`${field}[${key}]`, key, why));
}

function immutableErrors(object: ApiObject, before: ApiObject | undefined): FieldError[] {
	if (before?.immutable !== true) return [];
	const same =
		object.immutable === true && isDeepStrictEqual(object.data, before.data) && isDeepStrictEqual(object.binaryData, before.binaryData);
	return same ? [] : [notAllowed('data', 'field is immutable when `immutable` is set')];
}

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

export const endpointSliceStrategy: Strategy = {
	generation: true,
	create: (draft) => {
		for (const port of recordsAt(draft, 'ports')) fillDefaults(port, { name: '', protocol: 'TCP' });
		draft.endpoints ??= [];
	},
	validate(object, before) {
		const type = stringAt(object, 'addressType');
		if (!type) return [required('addressType')];
		if (!addressTypes.includes(type)) return [unsupported('addressType', type, addressTypes)];
		if (before && before.addressType !== type) return [invalidValue('addressType', type, 'field is immutable')];
		return recordsAt(object, 'endpoints').flatMap((endpoint, index) => {
			const addresses = Array.isArray(endpoint.addresses) ? endpoint.addresses.map(String) : [];
			if (addresses.length === 0) return [required(`endpoints[${index}].addresses`, 'must contain at least 1 address')];
			if (type === 'FQDN') return [];
			const wrong = addresses.filter((address) => `IPv${parseIp(address)?.family}` !== type);
			return wrong.map((address) => invalidValue(`endpoints[${index}].addresses`, address, `must be a valid ${type} address`));
		});
	},
};

export const leaseStrategy: Strategy = {
	validate(object) {
		const seconds = valueAt(object, 'spec.leaseDurationSeconds');
		if (seconds === undefined || (Number.isInteger(seconds) && Number(seconds) > 0)) return [];
		return [invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')];
	},
};

export const networkPolicyStrategy: Strategy = {
	generation: true,
	create: applyPolicyDefaults,
	update: applyPolicyDefaults,
	validate: (object) => (recordAt(object, 'spec.podSelector') ? [] : [required('spec.podSelector')]),
};

function applyPolicyDefaults(draft: Draft): void {
	const spec = childOf(draft, 'spec');
	childOf(spec, 'podSelector');
	spec.policyTypes ??= recordsAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
	for (const rule of [...recordsAt(spec, 'ingress'), ...recordsAt(spec, 'egress')]) {
		for (const port of recordsAt(rule, 'ports')) fillDefaults(port, { protocol: 'TCP' });
	}
}

/** Deployments, StatefulSets, ReplicaSets and DaemonSets: stored, defaulted as far as controllers read it, and checked. */
export function workloadStrategy(defaults: MutableJson): Strategy {
	const apply = (draft: Draft): void => {
		const spec = childOf(draft, 'spec');
		fillDefaults(spec, structuredClone(defaults));
		const template = spec.template;
		if (isRecord(template)) applyPodSpecDefaults(childOf(template, 'spec'));
	};
	return {
		generation: true,
		create: (draft) => {
			draft.status = {};
			apply(draft);
		},
		update: apply,
		validate(object, before) {
			const selector = recordAt(object, 'spec.selector');
			if (!selector) return [required('spec.selector')];
			const labels = recordAt(object, 'spec.template.metadata.labels') ?? {};
			const misses = Object.entries(recordAt(selector, 'matchLabels') ?? {}).some(([key, value]) => labels[key] !== value);
			const changed = before && !isDeepStrictEqual(selector, recordAt(before, 'spec.selector'));
			return [
				...(misses ? [invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')] : []),
				...(changed ? [invalidValue('spec.selector', selector, 'field is immutable')] : []),
				...validatePodSpec(recordAt(object, 'spec.template.spec') ?? {}, 'spec.template.spec'),
			];
		},
	};
}
