import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cidr, parseCidr, silentLogger } from '@tapestry/base';
import { createFakeClock, type FakeClock, settle } from '../../../kube/src/testing/fake-clock.ts';
import { followDefinitions, startDefinitions } from '../controllers/definitions.ts';
import { startGarbageCollector } from '../controllers/garbage.ts';
import { startNamespaces } from '../controllers/namespaces.ts';
import type { ApiObject } from '../objects.ts';
import { builtinKinds } from '../registry/builtin.ts';
import type { Endpoint } from '../registry/kind.ts';
import { Registry } from '../registry/registry.ts';
import { createServiceAddresses } from '../registry/service-addresses.ts';
import type { RestContext, WriteOptions } from '../rest/context.ts';
import { createObject } from '../rest/create.ts';
import { decodeObject } from '../rest/decode.ts';
import { type DeleteOptions, type Removal, removeObject } from '../rest/remove.ts';
import { type UpdateOptions, updateObject } from '../rest/update.ts';
import { Store } from '../storage/store.ts';

/** 2026-01-01T00:00:00Z */
export const testStart = Date.UTC(2026, 0, 1);

/** The operations of the API without HTTP, with a clock that stands still and names that repeat. */
export interface TestRest extends Disposable {
	readonly context: RestContext;
	readonly clock: FakeClock;
	/** `apiVersion`, `kind` and a namespace (`default` where there is one) are filled in. */
	create(resource: string, object: object, options?: WriteOptions): ApiObject;
	get(resource: string, name: string, namespace?: string): ApiObject | undefined;
	update(resource: string, name: string, change: (object: ApiObject) => unknown, options?: UpdateOptions): ApiObject;
	remove(resource: string, name: string, options?: DeleteOptions): Removal;
	/** Lets the controllers do all that they have to. */
	settled(): Promise<void>;
}

export function createTestRest(options: { readonly serviceCidrs?: readonly string[] } = {}): TestRest {
	const directory = mkdtempSync(join(tmpdir(), 'rest-'));
	const clock = createFakeClock(testStart);
	const store = new Store({ log: silentLogger }, { directory });
	const registry = new Registry(builtinKinds);
	const cidrs = (options.serviceCidrs ?? ['10.96.0.0/16']).map((text): Cidr => {
		const cidr = parseCidr(text);
		if (!cidr) throw new Error(text);
		return cidr;
	});
	let uids = 0;
	const uuid = (): string => `00000000-0000-0000-0000-${String(++uids).padStart(12, '0')}`;
	const context: RestContext = { store, registry, services: createServiceAddresses(store, cidrs), clock, random: () => 0, uuid };
	const work = { clock, log: silentLogger, random: () => 0 };
	const stops = [
		followDefinitions(context),
		startNamespaces(work, context),
		startDefinitions(work, context),
		startGarbageCollector(work, context),
	];

	const endpointOf = (resource: string): Endpoint => {
		const endpoint = registry.endpointOf(resource);
		if (!endpoint) throw new Error(`${resource} is not served`);
		return endpoint;
	};
	const namespaceOf = (endpoint: Endpoint): string => (endpoint.kind.namespaced ? 'default' : '');
	return {
		context,
		clock,
		create(resource, object, writeOptions) {
			const endpoint = endpointOf(resource);
			const { namespace = namespaceOf(endpoint) } = (object as { metadata?: { namespace?: string } }).metadata ?? {};
			const typed = { apiVersion: endpoint.kind.storedAs, kind: endpoint.kind.kind, ...object };
			return createObject(context, { endpoint, namespace }, decodeObject(endpoint, typed, writeOptions), writeOptions);
		},
		get: (resource, name, namespace = namespaceOf(endpointOf(resource))) => store.get(resource, namespace, name),
		update(resource, name, change, updateOptions) {
			const endpoint = endpointOf(resource);
			return updateObject(context, { endpoint, namespace: namespaceOf(endpoint), name }, change, updateOptions);
		},
		remove(resource, name, deleteOptions) {
			const endpoint = endpointOf(resource);
			return removeObject(context, { endpoint, namespace: namespaceOf(endpoint), name }, deleteOptions);
		},
		async settled() {
			for (let before = -1; before !== store.resourceVersion; ) {
				before = store.resourceVersion;
				for (let turn = 0; turn < 4; turn++) await settle();
			}
		},
		[Symbol.dispose]() {
			for (const stop of stops) stop();
			store.close();
			rmSync(directory, { recursive: true, force: true });
		},
	};
}

export const testPod = (name: string, spec: object = {}): object => ({
	metadata: { name },
	spec: { containers: [{ name: 'main', image: 'example/main:1' }], ...spec },
});
