import type { JsonObject } from '../schema/index.ts';

// The shape of webhook configurations. What a shape cannot say is checked in webhook-configuration.ts.

const string = { type: 'string' };
const strings = { type: 'array', items: string };
const port = { type: 'integer', minimum: 1, maximum: 65535 };
const requirement = { type: 'object', properties: { key: string, operator: string, values: strings }, required: ['key', 'operator'] };
const selector = {
	type: 'object',
	properties: {
		matchLabels: { type: 'object', additionalProperties: string },
		matchExpressions: { type: 'array', items: requirement },
	},
};
const rule = {
	type: 'object',
	properties: { operations: strings, apiGroups: strings, apiVersions: strings, resources: strings, scope: string },
};
const service = {
	type: 'object',
	properties: { namespace: string, name: string, path: string, port },
	required: ['namespace', 'name'],
};

function configuration(more: JsonObject): JsonObject {
	const webhook = {
		type: 'object',
		properties: {
			name: string,
			clientConfig: { type: 'object', properties: { url: string, service, caBundle: string } },
			rules: { type: 'array', items: rule },
			failurePolicy: string,
			matchPolicy: string,
			namespaceSelector: selector,
			objectSelector: selector,
			sideEffects: string,
			timeoutSeconds: { type: 'integer' },
			admissionReviewVersions: strings,
			matchConditions: { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
			...more,
		},
		required: ['name', 'clientConfig'],
	};
	return { type: 'object', properties: { webhooks: { type: 'array', items: webhook } } };
}

export const validatingConfigurationSchema: JsonObject = configuration({});
export const mutatingConfigurationSchema: JsonObject = configuration({ reinvocationPolicy: string });
