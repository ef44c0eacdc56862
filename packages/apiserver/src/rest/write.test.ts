import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiObject } from '../objects.ts';
import { createTestRest, type TestRest, testPod, testStart } from '../testing/rest.ts';

let rest: TestRest;
beforeEach(() => {
	rest = createTestRest();
});
afterEach(() => rest[Symbol.dispose]());

const refusal = (reason: string, message: string): unknown =>
	expect.objectContaining({ reason, message: expect.stringContaining(message) });
const withData = (data: object) => (object: ApiObject) => ({ ...object, data });

describe('createObject', () => {
	it('sets identity and defaults', () => {
		const pod = rest.create('pods', testPod('web'));
		expect(pod.metadata).toEqual({
			name: 'web',
			namespace: 'default',
			uid: expect.any(String),
			creationTimestamp: '2026-01-01T00:00:00Z',
			generation: 1,
			resourceVersion: expect.any(String),
		});
		expect(pod).toMatchObject({
			spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 },
			status: { phase: 'Pending' },
		});
	});

	it('makes names up', () => {
		const { metadata } = rest.create('configmaps', { metadata: { generateName: 'note-' } });
		expect(metadata.name).toMatch(/^note-[a-z0-9]{5}$/);
	});

	it('names every fault with its field', () => {
		const faulty = { metadata: { name: 'UPPER', labels: { 'a b': 'ok', ok: '-' } }, spec: { containers: [{ name: 'main' }] } };
		expect(() => rest.create('pods', faulty)).toThrow(
			expect.objectContaining({
				reason: 'Invalid',
				statusDetails: {
					name: 'UPPER',
					kind: 'Pod',
					causes: [
						{ field: 'metadata.name', reason: 'FieldValueInvalid', message: expect.stringContaining('RFC 1123 subdomain') },
						{ field: 'metadata.labels', reason: 'FieldValueInvalid', message: expect.stringContaining('"a b"') },
						{ field: 'metadata.labels', reason: 'FieldValueInvalid', message: expect.stringContaining('"-"') },
						{ field: 'spec.containers[0].image', reason: 'FieldValueRequired', message: 'Required value' },
					],
				},
			}),
		);
	});

	it('limits names to 253 characters, and those that become labels to 63', () => {
		expect(rest.create('configmaps', { metadata: { name: 'a'.repeat(253) } }).metadata.name).toHaveLength(253);
		expect(() => rest.create('configmaps', { metadata: { name: 'a'.repeat(254) } })).toThrow(
			refusal('Invalid', 'must be no more than 253 characters'),
		);
		expect(() => rest.create('namespaces', { metadata: { name: 'a'.repeat(64) } })).toThrow(
			refusal('Invalid', 'must be no more than 63 characters'),
		);
	});

	it('refuses a second object of the name, a missing namespace and one that is going', () => {
		rest.create('configmaps', { metadata: { name: 'a' } });
		expect(() => rest.create('configmaps', { metadata: { name: 'a' } })).toThrow(refusal('AlreadyExists', 'configmaps "a" already exists'));
		expect(() => rest.create('configmaps', { metadata: { name: 'a', namespace: 'none' } })).toThrow(
			refusal('NotFound', 'namespaces "none" not found'),
		);
		rest.create('namespaces', { metadata: { name: 'going', finalizers: ['example.com/hold'] } });
		rest.remove('namespaces', 'going');
		expect(() => rest.create('configmaps', { metadata: { name: 'a', namespace: 'going' } })).toThrow(
			refusal('Forbidden', 'because it is being terminated'),
		);
	});

	it('stores nothing in a dry run', () => {
		expect(rest.create('configmaps', { metadata: { name: 'dry' } }, { dryRun: true }).metadata.uid).toBeDefined();
		expect(rest.get('configmaps', 'dry')).toBeUndefined();
	});
});

describe('updateObject', () => {
	it('writes nothing when nothing changes', () => {
		const before = rest.create('configmaps', { metadata: { name: 'a' }, data: { x: '1' } });
		expect(rest.update('configmaps', 'a', withData({ x: '1' }))).toBe(before);
		expect(rest.update('configmaps', 'a', withData({ x: '2' })).metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
	});

	it('refuses a stale version and another object of the name', () => {
		const before = rest.create('configmaps', { metadata: { name: 'a' } });
		rest.update('configmaps', 'a', withData({ x: '1' }));
		expect(() => rest.update('configmaps', 'a', () => before)).toThrow(refusal('Conflict', 'the object has been modified'));
		const other = (object: ApiObject): unknown => ({ ...object, metadata: { ...object.metadata, uid: 'other' } });
		expect(() => rest.update('configmaps', 'a', other)).toThrow(refusal('Conflict', 'Precondition failed: UID'));
	});

	it('keeps what the server owns', () => {
		const before = rest.create('pods', testPod('web'));
		const metadata = { ...before.metadata, creationTimestamp: '2000-01-01T00:00:00Z', generation: 77, labels: { a: 'b' } };
		const after = rest.update('pods', 'web', (pod) => ({ ...pod, metadata, status: { phase: 'Running' } }));
		expect(after.metadata).toEqual({ ...before.metadata, labels: { a: 'b' }, resourceVersion: after.metadata.resourceVersion });
		expect(after.status).toEqual(before.status);
	});

	it('changes only the status through its subresource', () => {
		rest.create('pods', testPod('web'));
		const change = (pod: ApiObject): unknown => ({ ...pod, spec: { containers: [] }, status: { phase: 'Running' } });
		const after = rest.update('pods', 'web', change, { subresource: 'status' });
		expect(after).toMatchObject({ spec: { containers: [{ name: 'main' }] }, status: { phase: 'Running' }, metadata: { generation: 1 } });
	});

	it('counts generations of the spec', () => {
		rest.create('pods', testPod('web'));
		const after = rest.update('pods', 'web', (pod) => ({ ...pod, spec: { ...(pod.spec as object), activeDeadlineSeconds: 5 } }));
		expect(after.metadata.generation).toBe(2);
	});

	it('lets a pod change its images and tolerations and little else', () => {
		rest.create('pods', testPod('web', { tolerations: [{ key: 'a', operator: 'Exists' }] }));
		const spec = (changes: object) => (pod: ApiObject) => ({ ...pod, spec: { ...(pod.spec as object), ...changes } });
		rest.update('pods', 'web', spec({ containers: [{ name: 'main', image: 'example/main:2' }] }));
		rest.update(
			'pods',
			'web',
			spec({
				tolerations: [
					{ key: 'a', operator: 'Exists' },
					{ key: 'b', operator: 'Exists' },
				],
			}),
		);
		for (const changes of [{ nodeName: 'n1' }, { hostNetwork: true }, { containers: [{ name: 'other', image: 'x' }] }]) {
			expect(() => rest.update('pods', 'web', spec(changes))).toThrow(refusal('Invalid', 'pod updates may not change fields other than'));
		}
		expect(() => rest.update('pods', 'web', spec({ tolerations: [] }))).toThrow(refusal('Invalid', 'spec.tolerations: Forbidden'));
	});

	it('takes no update of a custom object without its version', () => {
		rest.create('customresourcedefinitions.apiextensions.k8s.io', {
			metadata: { name: 'widgets.example.com' },
			spec: {
				group: 'example.com',
				scope: 'Cluster',
				names: { plural: 'widgets', kind: 'Widget' },
				versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
			},
		});
		const {
			metadata: { resourceVersion: _, ...metadata },
			...object
		} = rest.create('widgets.example.com', { metadata: { name: 'a' } });
		expect(() => rest.update('widgets.example.com', 'a', () => ({ ...object, metadata }))).toThrow(
			refusal('Invalid', 'must be specified for an update'),
		);
	});
});

describe('removeObject', () => {
	it('checks preconditions', () => {
		rest.create('configmaps', { metadata: { name: 'a' } });
		expect(() => rest.remove('configmaps', 'a', { preconditions: { uid: 'other' } })).toThrow(
			refusal('Conflict', 'UID in precondition: other'),
		);
		expect(() => rest.remove('configmaps', 'a', { preconditions: { resourceVersion: '1' } })).toThrow(
			refusal('Conflict', 'ResourceVersion in precondition: 1'),
		);
		expect(rest.remove('configmaps', 'a').gone).toBe(true);
		expect(() => rest.remove('configmaps', 'a')).toThrow(refusal('NotFound', 'configmaps "a" not found'));
	});

	it('holds an object until its last finalizer goes', () => {
		rest.create('configmaps', { metadata: { name: 'a', finalizers: ['example.com/a', 'example.com/b'] } });
		expect(rest.remove('configmaps', 'a').gone).toBe(false);
		const finalizers = (list: readonly string[]) => (object: ApiObject) => ({
			...object,
			metadata: { ...object.metadata, finalizers: list },
		});
		expect(() => rest.update('configmaps', 'a', finalizers(['example.com/a', 'example.com/c']))).toThrow(
			refusal('Invalid', 'no new finalizers'),
		);
		rest.update('configmaps', 'a', finalizers(['example.com/b']));
		expect(rest.get('configmaps', 'a')?.metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z');
		rest.update('configmaps', 'a', finalizers([]));
		expect(rest.get('configmaps', 'a')).toBeUndefined();
	});

	it('gives a pod on a node its grace period, which may be shortened but not prolonged', async () => {
		rest.create('pods', testPod('web', { nodeName: 'n1' }));
		expect(rest.remove('pods', 'web').object.metadata).toMatchObject({
			deletionGracePeriodSeconds: 30,
			deletionTimestamp: '2026-01-01T00:00:30Z',
		});
		await rest.clock.advance(1000);
		const before = rest.get('pods', 'web');
		expect(rest.remove('pods', 'web', { gracePeriodSeconds: 60 }).object).toBe(before);
		expect(rest.remove('pods', 'web', { gracePeriodSeconds: 5 }).object.metadata).toMatchObject({
			deletionGracePeriodSeconds: 5,
			deletionTimestamp: new Date(testStart + 6000).toISOString().replace('.000', ''),
		});
		expect(rest.remove('pods', 'web', { gracePeriodSeconds: 0 }).gone).toBe(true);
	});

	it('deletes a pod without a node, or one that has ended, at once', () => {
		rest.create('pods', testPod('unscheduled'));
		expect(rest.remove('pods', 'unscheduled').gone).toBe(true);
		rest.create('pods', testPod('ended', { nodeName: 'n1' }));
		rest.update('pods', 'ended', (pod) => ({ ...pod, status: { phase: 'Succeeded' } }), { subresource: 'status' });
		expect(rest.remove('pods', 'ended').gone).toBe(true);
	});
});
