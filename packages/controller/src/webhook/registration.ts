import { isCoded, type Signal } from '@tapestry/base';
import type { KubeClient, KubeObject, Resource } from '@tapestry/kube';
import type { WebhookServer } from './server.ts';
import { validators } from './validators.ts';

const resource = (kind: string): Resource => ({
	group: 'admissionregistration.k8s.io',
	version: 'v1',
	plural: `${kind.toLowerCase()}s`,
	kind,
	namespaced: false,
});
const validating = resource('ValidatingWebhookConfiguration');

interface Configuration extends KubeObject {
	readonly webhooks: readonly object[];
}

export const validatePath = '/validate';

/**
 * Makes the API server ask this controller, in the place of whichever led before. Without an answer requests go on (`Ignore`): then the object
 * is stored, and its condition says what is wrong.
 */
export async function registerWebhooks(client: KubeClient, server: Pick<WebhookServer, 'url' | 'caBundle'>, signal: Signal): Promise<void> {
	const { url, caBundle } = server;
	const rules = validators.map(({ group, version, plural }) => ({
		apiGroups: [group],
		apiVersions: [version],
		resources: [plural],
		operations: ['CREATE', 'UPDATE'],
		scope: '*',
	}));
	await put(
		client,
		validating,
		{
			metadata: { name: 'tapestry' },
			webhooks: [
				{
					name: 'validate.tapestry.io',
					clientConfig: { url: `${url}${validatePath}`, caBundle },
					rules,
					failurePolicy: 'Ignore',
					sideEffects: 'None',
					timeoutSeconds: 5,
					admissionReviewVersions: ['v1'],
				},
			],
		},
		signal,
	);
}

/** Created, or put in the place of what there is. Throws what the API answers, a conflict with another writer included. */
async function put(client: KubeClient, kind: Resource, configuration: Configuration, signal: Signal): Promise<void> {
	const object = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, ...configuration };
	try {
		await client.create<Configuration>(kind, object, { signal });
	} catch (error) {
		if (!isCoded(error, 'KUBE_EXISTS')) throw error;
		const { metadata } = await client.get<Configuration>(kind, configuration.metadata, { signal });
		await client.replace<Configuration>(kind, { ...object, metadata }, { signal });
	}
}
