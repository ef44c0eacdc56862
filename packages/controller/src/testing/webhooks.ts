import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createReflector, type KubeClient, type KubeObject } from '@tapestry/kube';
import { changesOf, until } from '../../../base/src/testing/until.ts';

interface Configuration extends KubeObject {
	readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle: string } }[];
}

const resource = {
	group: 'admissionregistration.k8s.io',
	version: 'v1',
	plural: 'validatingwebhookconfigurations',
	kind: 'ValidatingWebhookConfiguration',
	namespaced: false,
};
const name = 'tapestry';

/** The certificate of the controller that the API server asks, once it is not `before`: each controller makes one of its own. */
export async function registeredWebhooks(client: KubeClient, before?: string): Promise<string> {
	await using configurations = createReflector<Configuration>(
		{ clock: systemClock, random: Math.random, log: silentLogger, client },
		{ resource },
	);
	const authority = () => configurations.objects.get(name)?.webhooks?.[0]?.clientConfig.caBundle;
	return await until('webhooks to be registered', changesOf(configurations), () => authority() !== before && authority());
}

/**
 * Has the API server wait for the webhooks' answer and refuse what they do not answer. A controller has it pass them over when they are slow, so that on a
 * busy machine what they would refuse is stored. Returns what makes this as it was.
 */
export async function insistOnWebhooks(client: KubeClient): Promise<() => Promise<unknown>> {
	const { webhooks = [] } = await client.get<Configuration>(resource, { name });
	const put = (wanted: Configuration['webhooks']) => client.patch(resource, { name }, 'application/merge-patch+json', { webhooks: wanted });
	await put(webhooks.map((webhook) => ({ ...webhook, failurePolicy: 'Fail', timeoutSeconds: 30 })));
	return () => put(webhooks);
}
