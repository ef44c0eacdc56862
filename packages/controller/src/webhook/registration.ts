import { isCoded, type Signal } from '@tapestry/base';
import type { KubeClient, KubeObject, Resource } from '@tapestry/kube';
import { labels } from '@tapestry/network';
import type { WebhookServer } from './server.ts';
import { trafficValidators } from './traffic-validators.ts';
import { type Validator, validators } from './validators.ts';

const resource = (kind: string): Resource => ({
	group: 'admissionregistration.k8s.io',
	version: 'v1',
	plural: `${kind.toLowerCase()}s`,
	kind,
	namespaced: false,
});
const validating = resource('ValidatingWebhookConfiguration');
const mutating = resource('MutatingWebhookConfiguration');

interface Configuration extends KubeObject {
	readonly webhooks: readonly object[];
}

export const validatePath = '/validate';
export const launcherPath = '/launcher';

/**
 * Makes the API server ask this controller, in the place of whichever led before. Without an answer requests go on (`Ignore`): an object is then
 * stored and its condition says what is wrong, and the agent refuses a launcher that is not where its mode wants it.
 */
export async function registerWebhooks(client: KubeClient, server: Pick<WebhookServer, 'url' | 'caBundle'>, signal: Signal): Promise<void> {
	const { url, caBundle } = server;
	const common = { failurePolicy: 'Ignore', sideEffects: 'None', timeoutSeconds: 5, admissionReviewVersions: ['v1'] };
	const metadata = { name: 'tapestry' };
	const validate = {
		name: 'validate.tapestry.io',
		clientConfig: { url: `${url}${validatePath}`, caBundle },
		rules: rulesFor(validators),
		...common,
	};
	// Every pod passes here: a controller that cannot be reached must not hold it up for long.
	const traffic = { ...validate, name: 'traffic.tapestry.io', rules: rulesFor(trafficValidators), ...common, timeoutSeconds: 1 };
	await put(client, validating, { metadata, webhooks: [validate, traffic] }, signal);
	const launcher = {
		name: 'launcher.tapestry.io',
		clientConfig: { url: `${url}${launcherPath}`, caBundle },
		rules: [ruleFor('', 'v1', 'pods', ['CREATE'])],
		objectSelector: { matchLabels: { [labels.kubevirt]: 'virt-launcher' } },
		// A service mesh may add containers later.
		reinvocationPolicy: 'IfNeeded',
		...common,
	};
	await put(client, mutating, { metadata, webhooks: [launcher] }, signal);
}

function rulesFor(list: readonly Validator[]): readonly object[] {
	return list.map(({ group, version, plural }) => ruleFor(group, version, plural, ['CREATE', 'UPDATE']));
}

function ruleFor(group: string, version: string, resource: string, operations: readonly string[]): object {
	return { apiGroups: [group], apiVersions: [version], resources: [resource], operations, scope: '*' };
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
