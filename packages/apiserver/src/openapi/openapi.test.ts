import { describe, expect, it } from 'vitest';
import { openApiV2, openApiV3Group, openApiV3Index } from './index.ts';

const schema = {
	type: 'object',
	required: ['spec'],
	description: 'A thing.',
	properties: {
		metadata: { type: 'object', properties: { name: { type: 'string', pattern: '^a' } } },
		spec: {
			type: 'object',
			properties: {
				cidr: { type: 'string', format: 'cidr', oneOf: [{ pattern: 'a' }] },
				note: { type: 'string', nullable: true, description: 'May be null.' },
				port: { 'x-kubernetes-int-or-string': true },
				free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, required: ['a'] },
				map: { type: 'object', additionalProperties: { type: 'string' } },
				list: { type: 'array', items: { type: 'integer' } },
				template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
			},
		},
	},
};
const gizmo = { group: 'ex.io', version: 'v1', kind: 'Gizmo', plural: 'gizmos', namespaced: true, schema };
const node = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

/** The fields of a protobuf message whose fields are all length-delimited. */
function decode(message: Buffer): [number, Buffer][] {
	const fields: [number, Buffer][] = [];
	let at = 0;
	const varint = (): number => {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = message[at++] ?? 0;
			value |= (byte & 0x7f) << shift;
			if (byte < 0x80) return value;
		}
	};
	while (at < message.length) {
		const key = varint();
		expect(key & 7).toBe(2);
		const length = varint();
		expect(at + length).toBeLessThanOrEqual(message.length);
		fields.push([key >> 3, message.subarray(at, at + length)]);
		at += length;
	}
	return fields;
}
/** All values at a path of field numbers. */
function values(message: Buffer, ...path: number[]): string[] {
	const [first, ...rest] = path;
	if (first === undefined) return [message.toString()];
	return decode(message).flatMap(([number, value]) => (number === first ? values(value, ...rest) : []));
}

describe('openApiV2', () => {
	const { json, protobuf } = openApiV2([node, gizmo]);

	it('describes custom resources only, and the PATCH of every kind', () => {
		expect(Object.keys(json.definitions)).toEqual(['io.ex.v1.Gizmo']);
		expect(json.paths['/api/v1/nodes/{name}']?.patch).toMatchObject({
			parameters: [{ name: 'dryRun' }, { name: 'fieldValidation' }],
			'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Node' },
		});
		expect(json.paths).toHaveProperty(['/apis/ex.io/v1/namespaces/{namespace}/gizmos/{name}']);
	});

	it('leaves open what v2 cannot say', () => {
		const definition = json.definitions['io.ex.v1.Gizmo'];
		expect(definition).toMatchObject({ type: 'object', required: ['spec'], 'x-kubernetes-group-version-kind': [{ kind: 'Gizmo' }] });
		expect(definition?.properties?.metadata).not.toHaveProperty('properties');
		expect(definition?.properties?.spec?.properties).toEqual({
			cidr: { type: 'string', format: 'cidr' },
			note: { description: 'May be null.' },
			port: {},
			free: {},
			map: { type: 'object', additionalProperties: { type: 'string' } },
			list: { type: 'array', items: { type: 'integer' } },
			template: { type: 'object', properties: expect.objectContaining({ spec: { type: 'object' }, apiVersion: expect.anything() }) },
		});
	});

	it('takes any fields where the schema preserves them', () => {
		const open = { ...gizmo, schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
		expect(openApiV2([open]).json.definitions['io.ex.v1.Gizmo']).not.toHaveProperty('properties');
	});

	it('says the same in protobuf, by the field numbers of gnostic', () => {
		expect(values(protobuf, 1)).toEqual(['2.0']);
		expect(values(protobuf, 2, 1)).toEqual(['Kubernetes']);
		expect(values(protobuf, 8, 2, 1)).toEqual(Object.keys(json.paths));
		expect(values(protobuf, 8, 2, 2, 8, 8, 1, 2, 3, 4)).toEqual(['dryRun', 'fieldValidation', 'dryRun', 'fieldValidation']);
		expect(values(protobuf, 8, 2, 2, 8, 13, 2, 2)).toEqual([
			'{"group":"","version":"v1","kind":"Node"}',
			'{"group":"ex.io","version":"v1","kind":"Gizmo"}',
		]);
		expect(values(protobuf, 9, 1, 1)).toEqual(['io.ex.v1.Gizmo']);
		expect(values(protobuf, 9, 1, 2, 4)).toEqual(['A thing.']);
		expect(values(protobuf, 9, 1, 2, 19)).toEqual(['spec']);
		expect(values(protobuf, 9, 1, 2, 31, 1)).toEqual(['x-kubernetes-group-version-kind']);
		expect(values(protobuf, 9, 1, 2, 25, 1, 1).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
		expect(values(protobuf, 9, 1, 2, 25, 1, 2, 25, 1, 2, 23, 1, 22, 1)).toEqual(['integer']);
		expect(values(protobuf, 9, 1, 2, 25, 1, 2, 25, 1, 2, 21, 1, 22, 1)).toEqual(['string']);
	});

	it('encodes lengths of more than one byte', () => {
		const description = 'x'.repeat(300);
		const long = openApiV2([{ ...gizmo, schema: { type: 'object', description } }]);
		expect(values(long.protobuf, 9, 1, 2, 4)).toEqual([description]);
	});
});

describe('openApiV3', () => {
	it('lists each group and version once', () => {
		expect(openApiV3Index([node, node, gizmo])).toEqual({
			paths: {
				'api/v1': { serverRelativeURL: '/openapi/v3/api/v1' },
				'apis/ex.io/v1': { serverRelativeURL: '/openapi/v3/apis/ex.io/v1' },
			},
		});
	});

	it('names kind, write parameters and schema', () => {
		expect(openApiV3Group([gizmo])).toMatchObject({
			paths: {
				'/apis/ex.io/v1/namespaces/{namespace}/gizmos': { post: { 'x-kubernetes-group-version-kind': { kind: 'Gizmo' } } },
				'/apis/ex.io/v1/namespaces/{namespace}/gizmos/{name}': {
					patch: { parameters: [{ name: 'dryRun' }, { name: 'fieldValidation', in: 'query' }] },
				},
			},
			components: { schemas: { 'io.ex.v1.Gizmo': { ...schema, 'x-kubernetes-group-version-kind': [{ kind: 'Gizmo' }] } } },
		});
	});

	it('offers no strategic merge by this document', () => {
		expect(JSON.stringify(openApiV3Group([node]))).not.toContain('strategic');
	});
});
