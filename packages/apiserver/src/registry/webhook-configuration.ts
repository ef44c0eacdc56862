import { X509Certificate } from 'node:crypto';
import {
	type ApiObject,
	childOf,
	type Draft,
	fillDefaults,
	type MutableJson,
	recordAt,
	recordsAt,
	stringAt,
	stringsAt,
} from '../objects.ts';
import type { FieldError } from '../schema/index.ts';
import type { Strategy } from './kind.ts';
import { duplicate, invalidValue, notAllowed, required, subdomainProblems, unsupported } from './names.ts';

export const mutatingConfigurations = 'mutatingwebhookconfigurations.admissionregistration.k8s.io';
export const validatingConfigurations = 'validatingwebhookconfigurations.admissionregistration.k8s.io';

/** The rules of k8s.io/kubernetes/pkg/apis/admissionregistration/validation, for v1. */
export const webhookConfigurationStrategy: Strategy = {
	generation: true,
	create: applyDefaults,
	update: applyDefaults,
	validate: (object) => recordsAt(object, 'webhooks').flatMap((hook, index, all) => validateHook(object, hook, `webhooks[${index}]`, all)),
};

function applyDefaults(draft: Draft): void {
	const mutating = draft.kind === 'MutatingWebhookConfiguration';
	for (const hook of recordsAt(draft, 'webhooks')) {
		fillDefaults(hook, {
			failurePolicy: 'Fail',
			matchPolicy: 'Equivalent',
			timeoutSeconds: 10,
			reinvocationPolicy: mutating ? 'Never' : undefined,
		});
		childOf(hook, 'namespaceSelector');
		childOf(hook, 'objectSelector');
		for (const rule of recordsAt(hook, 'rules')) fillDefaults(rule, { scope: '*' });
		const service = recordAt(hook, 'clientConfig.service');
		if (service) fillDefaults(service, { port: 443 });
	}
}

const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*'];

function validateHook(object: ApiObject, hook: MutableJson, path: string, all: readonly MutableJson[]): FieldError[] {
	const name = String(hook.name);
	const mutating = object.kind === 'MutatingWebhookConfiguration';
	const timeout = Number(hook.timeoutSeconds);
	return [
		...subdomainProblems(name).map((why) => invalidValue(`${path}.name`, name, why)),
		...(name.split('.').length < 3
			? [invalidValue(`${path}.name`, name, 'should be a domain with at least three segments separated by dots')]
			: []),
		...(all.filter((other) => other.name === name).indexOf(hook) > 0 ? [duplicate(`${path}.name`, name)] : []),
		...oneOf(hook, path, 'failurePolicy', ['Fail', 'Ignore']),
		...oneOf(hook, path, 'matchPolicy', ['Equivalent', 'Exact']),
		...(mutating ? oneOf(hook, path, 'reinvocationPolicy', ['IfNeeded', 'Never']) : []),
		...(hook.sideEffects === undefined
			? [required(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun')]
			: oneOf(hook, path, 'sideEffects', ['None', 'NoneOnDryRun'])),
		...(timeout >= 1 && timeout <= 30
			? []
			: [invalidValue(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds')]),
		...validateVersions(stringsAt(hook, 'admissionReviewVersions'), `${path}.admissionReviewVersions`),
		...(recordsAt(hook, 'matchConditions').length > 0
			? [notAllowed(`${path}.matchConditions`, 'this server has no CEL: match by rules, namespaceSelector and objectSelector')]
			: []),
		...validateClient(recordAt(hook, 'clientConfig') ?? {}, `${path}.clientConfig`),
		...recordsAt(hook, 'rules').flatMap((rule, index) => validateRule(rule, `${path}.rules[${index}]`)),
	];
}

function oneOf(hook: MutableJson, path: string, field: string, values: readonly string[]): FieldError[] {
	return values.includes(String(hook[field])) ? [] : [unsupported(`${path}.${field}`, hook[field], values)];
}

function validateVersions(versions: readonly string[], path: string): FieldError[] {
	if (versions.length === 0) return [required(path, 'must specify one of v1, v1beta1')];
	return versions.includes('v1') ? [] : [invalidValue(path, versions, 'must include at least one of v1')];
}

function validateRule(rule: MutableJson, path: string): FieldError[] {
	const wrong = stringsAt(rule, 'operations').filter((operation) => !operations.includes(operation));
	return [
		...(['operations', 'apiGroups', 'apiVersions', 'resources'] as const)
			.filter((field) => stringsAt(rule, field).length === 0)
			.map((field) => required(`${path}.${field}`)),
		...wrong.map((operation) => unsupported(`${path}.operations`, operation, operations)),
		...oneOf(rule, path, 'scope', ['*', 'Cluster', 'Namespaced']),
	];
}

function validateClient(client: MutableJson, path: string): FieldError[] {
	const url = stringAt(client, 'url');
	const service = recordAt(client, 'service');
	const bundle = stringAt(client, 'caBundle');
	return [
		...((url === undefined) === (service === undefined) ? [required(path, 'exactly one of url or service is required')] : []),
		...(url === undefined ? [] : validateUrl(url, `${path}.url`)),
		...(service?.path === undefined || String(service.path).startsWith('/')
			? []
			: [invalidValue(`${path}.service.path`, service.path, "must start with a '/'")]),
		...(bundle === undefined || isBundle(bundle)
			? []
			: [invalidValue(`${path}.caBundle`, '...', 'unable to load root certificates: it is not base64 of PEM certificates')]),
	];
}

function validateUrl(text: string, path: string): FieldError[] {
	const form = 'desired format: https://host[/path]';
	if (!URL.canParse(text)) return [invalidValue(path, text, `url must be a valid URL; ${form}`)];
	const url = new URL(text);
	if (url.protocol !== 'https:') return [invalidValue(path, text, `'https' is the only allowed URL scheme; ${form}`)];
	if (url.username || url.password) return [invalidValue(path, text, 'user information is not permitted in the URL')];
	if (url.hash) return [invalidValue(path, text, 'fragments are not permitted in the URL')];
	return url.search ? [invalidValue(path, text, 'query parameters are not permitted in the URL')] : [];
}

function isBundle(base64: string): boolean {
	try {
		new X509Certificate(Buffer.from(base64, 'base64'));
		return true;
	} catch {
		return false;
	}
}
