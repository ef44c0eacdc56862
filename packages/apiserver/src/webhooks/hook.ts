import type { MutableJson } from '../objects.ts';
import { recordsAt } from '../objects.ts';
import { mutatingConfigurations, validatingConfigurations } from '../registry/webhook-configuration.ts';
import type { Store } from '../storage/store.ts';

export type HookType = 'mutating' | 'validating';

export interface Rule {
	readonly operations: readonly string[];
	readonly apiGroups: readonly string[];
	readonly apiVersions: readonly string[];
	readonly resources: readonly string[];
	readonly scope: '*' | 'Cluster' | 'Namespaced';
}

export interface ClientConfig {
	readonly url?: string;
	readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port: number };
	/** Base64 of PEM; without it the machine's authorities are trusted. */
	readonly caBundle?: string;
}

/** admissionregistration.k8s.io/v1 MutatingWebhook or ValidatingWebhook, defaulted and found valid when it was stored. */
export interface Hook {
	readonly name: string;
	readonly clientConfig: ClientConfig;
	readonly rules?: readonly Rule[];
	readonly failurePolicy: 'Fail' | 'Ignore';
	readonly matchPolicy: 'Equivalent' | 'Exact';
	readonly namespaceSelector: MutableJson;
	readonly objectSelector: MutableJson;
	readonly timeoutSeconds: number;
	readonly reinvocationPolicy?: 'IfNeeded' | 'Never';
}

/** In the order in which they are called: configurations by name, each one's webhooks as written. */
export function hooksOf(store: Store, type: HookType): readonly Hook[] {
	const configurations = store.list(type === 'mutating' ? mutatingConfigurations : validatingConfigurations);
	return configurations.flatMap((configuration) => recordsAt(configuration, 'webhooks') as unknown as readonly Hook[]);
}
