import { describe, expect, it } from 'vitest';
import { applyStrategicPatch, mergeSchemaFor } from './index.ts';

function patch(kind: string, document: object, change: object): object {
	const [group = '', name = ''] = kind.includes('/') ? kind.split('/') : ['', kind];
	const schema = mergeSchemaFor(group, 'v1', name);
	if (!schema) throw new Error(`no merge schema for ${kind}`);
	const before = JSON.stringify(document);
	const result = applyStrategicPatch(document, change, schema);
	expect(JSON.stringify(document)).toBe(before);
	return result;
}
const podWith = (spec: object): object => ({ spec });

describe('applyStrategicPatch', () => {
	it('merges containers by name, and their lists by their own keys', () => {
		const pod = podWith({
			containers: [
				{ name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }], volumeMounts: [{ mountPath: '/m', name: 'v' }], args: ['1', '2'] },
				{ name: 'b', image: 'b:1' },
			],
		});
		const change = {
			spec: {
				containers: [
					{
						name: 'a',
						env: [
							{ name: 'Y', value: '2' },
							{ name: 'X', value: '3' },
						],
						volumeMounts: [{ mountPath: '/n', name: 'v' }],
						args: ['3'],
					},
				],
			},
		};
		expect(patch('Pod', pod, change)).toEqual(
			podWith({
				containers: [
					{
						name: 'a',
						image: 'a:1',
						env: [
							{ name: 'Y', value: '2' },
							{ name: 'X', value: '3' },
						],
						volumeMounts: [
							{ mountPath: '/m', name: 'v' },
							{ mountPath: '/n', name: 'v' },
						],
						args: ['3'],
					},
					{ name: 'b', image: 'b:1' },
				],
			}),
		);
	});

	it('replaces lists without a merge key', () => {
		const pod = podWith({ tolerations: [{ key: 'a' }] });
		expect(patch('Pod', pod, { spec: { tolerations: [{ key: 'b' }] } })).toEqual(podWith({ tolerations: [{ key: 'b' }] }));
	});

	it('deletes by null, also items of new objects', () => {
		const change = { metadata: { labels: { a: null }, annotations: { x: null, y: '1' } } };
		expect(patch('Pod', { metadata: { labels: { a: '1', b: '2' } } }, change)).toEqual({
			metadata: { labels: { b: '2' }, annotations: { y: '1' } },
		});
	});

	it('merges finalizers as a set, ownerReferences by uid, conditions by type', () => {
		const pod = {
			metadata: { finalizers: ['a', 'b'], ownerReferences: [{ uid: '1', name: 'x' }] },
			status: { conditions: [{ type: 'Ready', status: 'False', reason: 'R' }] },
		};
		const change = {
			metadata: {
				finalizers: ['b', 'c'],
				ownerReferences: [
					{ uid: '1', controller: true },
					{ uid: '2', name: 'y' },
				],
			},
			status: { conditions: [{ type: 'Ready', status: 'True' }] },
		};
		expect(patch('Pod', pod, change)).toEqual({
			metadata: {
				finalizers: ['a', 'b', 'c'],
				ownerReferences: [
					{ uid: '1', name: 'x', controller: true },
					{ uid: '2', name: 'y' },
				],
			},
			status: { conditions: [{ type: 'Ready', status: 'True', reason: 'R' }] },
		});
	});

	it('$patch: delete and replace', () => {
		const pod = podWith({ volumes: [{ name: 'a' }, { name: 'b' }], nodeSelector: { x: '1' }, securityContext: { runAsUser: 1 } });
		expect(patch('Pod', pod, { spec: { volumes: [{ name: 'a', $patch: 'delete' }] } })).toMatchObject(
			podWith({ volumes: [{ name: 'b' }] }),
		);
		expect(patch('Pod', pod, { spec: { volumes: [{ name: 'c' }, { $patch: 'replace' }] } })).toMatchObject(
			podWith({ volumes: [{ name: 'c' }] }),
		);
		expect(patch('Pod', pod, { spec: { nodeSelector: { $patch: 'replace', y: '2' } } })).toMatchObject(
			podWith({ nodeSelector: { y: '2' } }),
		);
		expect(patch('Pod', pod, { spec: { securityContext: { $patch: 'delete' } } })).toMatchObject(podWith({ securityContext: {} }));
		expect(patch('Pod', podWith({}), { spec: { volumes: [{ name: 'a', $patch: 'delete' }, { name: 'b' }] } })).toEqual(
			podWith({ volumes: [{ name: 'b' }] }),
		);
	});

	it('$setElementOrder orders what it names and keeps the others in place', () => {
		const pod = podWith({ volumes: [{ name: 'injected' }, { name: 'a' }, { name: 'b' }, { name: 'tail' }] });
		const order = { '$setElementOrder/volumes': [{ name: 'b' }, { name: 'c' }, { name: 'a' }], volumes: [{ name: 'c' }] };
		expect(patch('Pod', pod, { spec: order })).toEqual(
			podWith({ volumes: [{ name: 'injected' }, { name: 'b' }, { name: 'tail' }, { name: 'c' }, { name: 'a' }] }),
		);
		const only = { '$setElementOrder/volumes': [{ name: 'b' }, { name: 'a' }] };
		expect(patch('Pod', podWith({ volumes: [{ name: 'a' }, { name: 'b' }] }), { spec: only })).toEqual(
			podWith({ volumes: [{ name: 'b' }, { name: 'a' }] }),
		);
		expect(patch('Pod', podWith({}), { spec: only })).toEqual(podWith({}));
	});

	it('$deleteFromPrimitiveList takes out and may add in one patch', () => {
		const change = {
			metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], '$setElementOrder/finalizers': ['c', 'b'], finalizers: ['c'] },
		};
		expect(patch('Pod', { metadata: { finalizers: ['a', 'b'] } }, change)).toEqual({ metadata: { finalizers: ['c', 'b'] } });
		expect(patch('Pod', { metadata: {} }, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } })).toEqual({ metadata: {} });
	});

	it('$retainKeys clears the members that it does not name', () => {
		const deployment = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
		const change = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
		expect(patch('apps/Deployment', deployment, change)).toEqual({ spec: { strategy: { type: 'Recreate' } } });
		const nulled = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate', rollingUpdate: null } } };
		expect(patch('apps/Deployment', deployment, nulled)).toEqual({ spec: { strategy: { type: 'Recreate' } } });
		const bad = { spec: { strategy: { $retainKeys: [], type: 'Recreate' } } };
		expect(() => patch('apps/Deployment', deployment, bad)).toThrow(/\$retainKeys/);
	});

	it('tells ports of one number apart by protocol', () => {
		const service = {
			spec: {
				ports: [
					{ port: 53, name: 'tcp' },
					{ port: 80, name: 'http' },
				],
			},
		};
		const both = {
			spec: {
				ports: [
					{ port: 53, protocol: 'UDP', name: 'udp' },
					{ port: 53, protocol: 'TCP', targetPort: 5353 },
				],
			},
		};
		expect(patch('Service', service, both)).toEqual({
			spec: {
				ports: [
					{ port: 53, name: 'tcp', protocol: 'TCP', targetPort: 5353 },
					{ port: 53, protocol: 'UDP', name: 'udp' },
					{ port: 80, name: 'http' },
				],
			},
		});
		const changed = { spec: { ports: [{ port: 80, protocol: 'UDP' }] } };
		expect(patch('Service', service, changed)).toMatchObject({
			spec: { ports: [{ port: 53 }, { port: 80, name: 'http', protocol: 'UDP' }] },
		});
		const gone = { spec: { ports: [{ port: 53, protocol: 'UDP', $patch: 'delete' }] } };
		expect(patch('Service', service, gone)).toEqual(service);
	});

	it('keeps both addresses of a dual-stack node', () => {
		const addresses = [
			{ type: 'InternalIP', address: '10.0.0.1' },
			{ type: 'InternalIP', address: 'fd00::1' },
		];
		expect(patch('Node', { status: { addresses } }, { status: { addresses } })).toEqual({ status: { addresses } });
	});

	it.each<[string, unknown, RegExp]>([
		['no object', [], /is an object/],
		['an unknown directive', { spec: { $patch: 'append' } }, /\$patch: "append"/],
		['an item without its key', { spec: { volumes: [{ emptyDir: {} }] } }, /lacks its merge key name/],
		['a primitive in a keyed list', { spec: { volumes: ['a'] } }, /is not an object/],
		['an order that is no list', { spec: { '$setElementOrder/volumes': {} } }, /is not a list/],
	])('refuses %s', (_name, change, message) => {
		expect(() => patch('Pod', podWith({ volumes: [{ name: 'a' }] }), change as object)).toThrow(
			expect.objectContaining({ code: 'PATCH_INVALID', message: expect.stringMatching(message) }),
		);
	});
});

describe('mergeSchemaFor', () => {
	it('knows no custom resources', () => {
		expect(mergeSchemaFor('kubeovn.io', 'v1', 'Subnet')).toBeUndefined();
		expect(mergeSchemaFor('networking.k8s.io', 'v1', 'NetworkPolicy')).toBeDefined();
	});
});
