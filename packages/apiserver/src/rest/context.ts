import type { Clock } from '@tapestry/base';
import type { Admission, Endpoint, ServiceAddresses } from '../registry/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../storage/store.ts';

/** What every operation works on. Operations are synchronous, hence atomic: see Store. */
export interface RestContext {
	readonly store: Store;
	readonly registry: Registry;
	readonly services: ServiceAddresses;
	readonly clock: Clock;
	readonly uuid: () => string;
	/** In [0, 1), for generated names. */
	readonly random: () => number;
}

export interface Target {
	readonly endpoint: Endpoint;
	/** '' for cluster-scoped kinds. */
	readonly namespace: string;
}

export interface NamedTarget extends Target {
	readonly name: string;
}

export interface WriteOptions {
	readonly dryRun?: boolean;
	/** How fields that the schema does not know are treated. @default 'Warn' */
	readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
	/** Receives what Kubernetes puts into Warning headers. */
	readonly warn?: (text: string) => void;
}

export function admissionOf(context: RestContext): Admission {
	return { now: context.clock.now(), services: context.services, kinds: () => context.registry.kinds() };
}
