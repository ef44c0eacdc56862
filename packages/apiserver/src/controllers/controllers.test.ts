import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiObject, recordsAt } from '../objects.ts';
import { createTestRest, type TestRest } from '../testing/rest.ts';

let rest: TestRest;
beforeEach(() => {
	rest = createTestRest();
});
afterEach(() => rest[Symbol.dispose]());

const configMap = (name: string, metadata: object = {}): object => ({ metadata: { name, ...metadata } });
const create = (name: string, metadata?: object): ApiObject => rest.create('configmaps', configMap(name, metadata));
const ownedBy = (...owners: readonly ApiObject[]): object => ({
	ownerReferences: owners.map(({ apiVersion, kind, metadata: { name, uid } }) => ({
		apiVersion,
		kind,
		name,
		uid,
		blockOwnerDeletion: true,
	})),
});
const left = (): string[] => rest.context.store.list('configmaps', 'default').map(({ metadata }) => metadata.name);
const withoutFinalizers = (object: ApiObject): unknown => ({ ...object, metadata: { ...object.metadata, finalizers: [] } });

describe('garbage collection', () => {
	it('deletes what an owner leaves behind, generation by generation', async () => {
		const owner = create('owner');
		const child = create('child', ownedBy(owner));
		create('grandchild', ownedBy(child));
		create('stranger');
		rest.remove('configmaps', 'owner');
		await rest.settled();
		expect(left()).toEqual(['stranger']);
	});

	it('keeps an object as long as one of its owners lives, and forgets the others', async () => {
		const [first, second] = [create('first'), create('second')];
		create('shared', ownedBy(first, second));
		rest.remove('configmaps', 'first');
		await rest.settled();
		expect(rest.get('configmaps', 'shared')?.metadata.ownerReferences).toEqual([expect.objectContaining({ name: 'second' })]);
		rest.remove('configmaps', 'second');
		await rest.settled();
		expect(left()).toEqual([]);
	});

	it('takes an owner that came anew under the old name for another one', async () => {
		const owner = create('owner');
		rest.remove('configmaps', 'owner');
		create('owner');
		create('late', ownedBy(owner));
		await rest.settled();
		expect(left()).toEqual(['owner']);
	});

	it('takes an owner in another namespace for none', async () => {
		rest.create('namespaces', { metadata: { name: 'elsewhere' } });
		const owner = rest.create('configmaps', configMap('owner', { namespace: 'elsewhere' }));
		create('stray', ownedBy(owner));
		await rest.settled();
		expect(left()).toEqual([]);
	});

	it('waits for dependents in the foreground, however deep', async () => {
		const owner = create('owner');
		const child = create('child', ownedBy(owner));
		create('grandchild', { ...ownedBy(child), finalizers: ['example.com/hold'] });
		rest.remove('configmaps', 'owner', { propagationPolicy: 'Foreground' });
		await rest.settled();
		expect(left()).toEqual(['child', 'grandchild', 'owner']);
		expect(rest.get('configmaps', 'child')?.metadata.finalizers).toEqual(['foregroundDeletion']);
		rest.update('configmaps', 'grandchild', withoutFinalizers);
		await rest.settled();
		expect(left()).toEqual([]);
	});

	it('does not wait for dependents that do not block, but deletes them', async () => {
		const owner = create('owner');
		const {
			apiVersion,
			kind,
			metadata: { name, uid },
		} = owner;
		create('child', { ownerReferences: [{ apiVersion, kind, name, uid }], finalizers: ['example.com/hold'] });
		rest.remove('configmaps', 'owner', { propagationPolicy: 'Foreground' });
		await rest.settled();
		expect(left()).toEqual(['child']);
		expect(rest.get('configmaps', 'child')?.metadata.deletionTimestamp).toBeDefined();
	});

	it('orphans on request', async () => {
		const owner = create('owner');
		create('child', ownedBy(owner));
		rest.remove('configmaps', 'owner', { propagationPolicy: 'Orphan' });
		await rest.settled();
		expect(left()).toEqual(['child']);
		expect(rest.get('configmaps', 'child')?.metadata.ownerReferences).toBeUndefined();
	});
});

describe('namespaces', () => {
	it('are there from the start, each with its ServiceAccount, which comes back', async () => {
		await rest.settled();
		for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
			expect(rest.get('namespaces', name)).toMatchObject({
				status: { phase: 'Active' },
				metadata: { labels: { 'kubernetes.io/metadata.name': name } },
			});
			expect(rest.get('serviceaccounts', 'default', name)).toBeDefined();
		}
		rest.remove('serviceaccounts', 'default');
		await rest.settled();
		expect(rest.get('serviceaccounts', 'default')).toBeDefined();
	});

	it('go when their contents are gone', async () => {
		rest.create('namespaces', { metadata: { name: 'going' } });
		const held = rest.create('configmaps', configMap('held', { namespace: 'going', finalizers: ['example.com/hold'] }));
		rest.create('secrets', configMap('free', { namespace: 'going' }));
		rest.remove('namespaces', 'going');
		await rest.settled();
		expect(rest.get('namespaces', 'going')).toMatchObject({ status: { phase: 'Terminating' } });
		expect(rest.get('secrets', 'free', 'going')).toBeUndefined();
		expect(rest.get('configmaps', 'held', 'going')?.metadata.deletionTimestamp).toBeDefined();
		rest.context.store.remove('configmaps', 'going', held.metadata.name);
		await rest.settled();
		expect(rest.get('namespaces', 'going')).toBeUndefined();
	});

	it('wait for their own finalizers, without a write in the meantime', async () => {
		rest.create('namespaces', { metadata: { name: 'held', finalizers: ['example.com/hold'] } });
		rest.remove('namespaces', 'held');
		await rest.settled();
		expect(rest.get('namespaces', 'held')).toMatchObject({ spec: { finalizers: [] } });
		rest.update('namespaces', 'held', withoutFinalizers);
		await rest.settled();
		expect(rest.get('namespaces', 'held')).toBeUndefined();
	});
});

describe('definitions', () => {
	const resource = 'customresourcedefinitions.apiextensions.k8s.io';
	const define = (plural: string, names: object = {}): ApiObject =>
		rest.create(resource, {
			metadata: { name: `${plural}.example.com` },
			spec: {
				group: 'example.com',
				scope: 'Namespaced',
				names: { plural, kind: 'Widget', ...names },
				versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
			},
		});
	const conditions = (name: string): unknown =>
		recordsAt(rest.get(resource, name), 'status.conditions').map(({ type, status }) => `${type}=${status}`);

	it('serve their kind at once', () => {
		define('widgets');
		expect(conditions('widgets.example.com')).toEqual(['NamesAccepted=True', 'Established=True']);
		expect(rest.create('widgets.example.com', { metadata: { name: 'one' } }).apiVersion).toBe('example.com/v1');
	});

	it('wait for names that are taken, and get them when they are free', async () => {
		define('widgets');
		define('gadgets');
		expect(conditions('gadgets.example.com')).toEqual(['NamesAccepted=False', 'Established=False']);
		expect(rest.context.registry.kind('gadgets.example.com')).toBeUndefined();
		rest.remove(resource, 'widgets.example.com');
		await rest.settled();
		expect(conditions('gadgets.example.com')).toEqual(['NamesAccepted=True', 'Established=True']);
		expect(rest.context.registry.kind('gadgets.example.com')).toBeDefined();
	});

	it('go when their objects are gone', async () => {
		define('widgets');
		rest.create('widgets.example.com', { metadata: { name: 'held', finalizers: ['example.com/hold'] } });
		rest.create('widgets.example.com', { metadata: { name: 'free' } });
		rest.remove(resource, 'widgets.example.com');
		await rest.settled();
		expect(rest.get('widgets.example.com', 'free')).toBeUndefined();
		expect(() => rest.create('widgets.example.com', { metadata: { name: 'late' } })).toThrow(
			'create not allowed while custom resource definition is terminating',
		);
		rest.update('widgets.example.com', 'held', withoutFinalizers);
		await rest.settled();
		expect(rest.get(resource, 'widgets.example.com')).toBeUndefined();
		expect(rest.context.registry.kind('widgets.example.com')).toBeUndefined();
	});
});
