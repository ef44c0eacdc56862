import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchema, formatFieldErrors } from './index.ts';

const spec = (properties: object, more: object = {}) =>
	compileSchema({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } });

/** `field: message` of every error of a value at `spec.x`. */
function errorsOf(schema: object, value: unknown): string[] {
	return spec({ x: schema })
		.validate({ spec: { x: value } })
		.map((error) => `${error.field}: ${error.message}`);
}

describe('prune', () => {
	it('drops what is not specified, at every depth, and names it', () => {
		const schema = spec({ list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } } });
		const object = {
			apiVersion: 'v1',
			kind: 'K',
			metadata: { name: 'n', labels: { a: 'b' } },
			spec: { b: 1, list: [{ a: 'x', c: { d: 1 } }] },
			extra: {},
		};
		expect(schema.prune(object)).toEqual({ apiVersion: 'v1', kind: 'K', metadata: object.metadata, spec: { list: [{ a: 'x' }] } });
		expect(schema.unknownFields(object)).toEqual(['spec.b', 'spec.list[0].c', 'extra']);
	});

	it('returns the same object when all is specified', () => {
		const object = { spec: { a: 'x' } };
		expect(spec({ a: { type: 'string' } }).prune(object)).toBe(object);
	});

	it('keeps unknown fields where told to, and still prunes the specified ones below', () => {
		const schema = spec({ known: { type: 'object', properties: {} } }, { 'x-kubernetes-preserve-unknown-fields': true });
		expect(schema.prune({ spec: { free: { deep: 1 }, known: { gone: 1 } } })).toEqual({ spec: { free: { deep: 1 }, known: {} } });
	});

	it('extends preserving to the items of a list, whose specified fields are pruned all the same', () => {
		const items = { type: 'object', properties: { known: { type: 'object', properties: {} } } };
		const schema = spec({ list: { type: 'array', items, 'x-kubernetes-preserve-unknown-fields': true } });
		expect(schema.prune({ spec: { list: [{ free: 1, known: { gone: 1 } }] } })).toEqual({ spec: { list: [{ free: 1, known: {} }] } });
	});

	it('prunes inside a list that stands where none belongs', () => {
		const schema = spec({ x: { type: 'object', properties: { a: { type: 'string' } } } });
		expect(schema.prune({ spec: { x: [{ a: 'gone' }, [{ b: 1 }], 1] } })).toEqual({ spec: { x: [{}, [{}], 1] } });
	});

	it('keeps the values of additionalProperties', () => {
		const map = { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } };
		const any = { type: 'object', additionalProperties: true };
		const schema = spec({ map, any });
		expect(schema.prune({ spec: { map: { k: { a: '1', b: '2' } }, any: { k: { b: 1 } } } })).toEqual({
			spec: { map: { k: { a: '1' } }, any: { k: { b: 1 } } },
		});
	});

	it('keeps apiVersion, kind and metadata of an embedded resource', () => {
		const schema = spec({ template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } } });
		const template = { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 'b' } }, spec: {} };
		expect(schema.prune({ spec: { template: { ...template, status: {} } } })).toEqual({ spec: { template } });
	});

	it('treats members called __proto__ as data', () => {
		const object = JSON.parse('{"spec":{"m":{"__proto__":{"a":1}},"gone":1}}') as object;
		const pruned = spec({ m: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }).prune(object);
		expect(JSON.stringify(pruned)).toBe('{"spec":{"m":{"__proto__":{"a":1}}}}');
	});
});

describe('applyDefaults', () => {
	it('fills absent members, and defaults inside a default', () => {
		const inner = { type: 'object', default: {}, properties: { a: { type: 'string', default: 'x' } } };
		expect(spec({ inner }).applyDefaults({ spec: {} })).toEqual({ spec: { inner: { a: 'x' } } });
	});

	it('does not make an absent parent', () => {
		const object = {};
		expect(spec({ a: { type: 'string', default: 'x' } }).applyDefaults(object)).toBe(object);
	});

	it('treats the null of a field that is not nullable as absent', () => {
		const schema = spec({
			a: { type: 'string', default: 'x' },
			b: { type: 'string' },
			c: { type: 'string', nullable: true, default: 'x' },
		});
		expect(schema.applyDefaults({ spec: { a: null, b: null, c: null } })).toEqual({ spec: { a: 'x', c: null } });
	});

	it('reaches list items and map values', () => {
		const item = { type: 'object', properties: { p: { type: 'string', default: 'TCP' } } };
		const schema = spec({ list: { type: 'array', items: item }, map: { type: 'object', additionalProperties: item } });
		expect(schema.applyDefaults({ spec: { list: [{}, { p: 'UDP' }], map: { k: {} } } })).toEqual({
			spec: { list: [{ p: 'TCP' }, { p: 'UDP' }], map: { k: { p: 'TCP' } } },
		});
	});
});

describe('validate', () => {
	it.each<[string, object, unknown, string]>([
		['type', { type: 'integer' }, 'a', 'Invalid value: "string": spec.x in body must be of type integer: "string"'],
		['fraction', { type: 'integer' }, 1.5, 'Invalid value: "number": spec.x in body must be of type integer: "number"'],
		['null', { type: 'string' }, null, 'Invalid value: "null": spec.x in body must be of type string: "null"'],
		[
			'int or string',
			{ 'x-kubernetes-int-or-string': true },
			true,
			'Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
		],
		['pattern', { type: 'string', pattern: '^a$' }, 'b', `Invalid value: "b": spec.x in body should match '^a$'`],
		['enum', { type: 'string', enum: ['a', 'b'] }, 'x', 'Unsupported value: "x": supported values: "a", "b"'],
		['enum of numbers', { type: 'integer', enum: [1, 2] }, 3, 'Unsupported value: 3: supported values: "1", "2"'],
		['minimum', { type: 'integer', minimum: 1 }, 0, 'Invalid value: 0: spec.x in body should be greater than or equal to 1'],
		[
			'exclusiveMinimum',
			{ type: 'number', minimum: 1, exclusiveMinimum: true },
			1,
			'Invalid value: 1: spec.x in body should be greater than 1',
		],
		['maximum', { type: 'integer', maximum: 1 }, 2, 'Invalid value: 2: spec.x in body should be less than or equal to 1'],
		[
			'exclusiveMaximum',
			{ type: 'number', maximum: 1, exclusiveMaximum: true },
			1,
			'Invalid value: 1: spec.x in body should be less than 1',
		],
		['multipleOf', { type: 'integer', multipleOf: 4 }, 6, 'Invalid value: 6: spec.x in body should be a multiple of 4'],
		[
			'minLength',
			{ type: 'string', minLength: 2 },
			'\u{1f600}',
			'Invalid value: "\u{1f600}": spec.x in body should be at least 2 chars long',
		],
		['maxLength', { type: 'string', maxLength: 1 }, 'ab', 'Too long: may not be more than 1 bytes'],
		['minItems', { type: 'array', minItems: 1 }, [], 'Invalid value: []: spec.x in body should have at least 1 items'],
		['maxItems', { type: 'array', maxItems: 1 }, [1, 2], 'Too many: 2: must have at most 1 items'],
		[
			'uniqueItems',
			{ type: 'array', uniqueItems: true },
			[
				{ a: 1, b: 2 },
				{ b: 2, a: 1 },
			],
			`Invalid value: [{"a":1,"b":2},{"b":2,"a":1}]: spec.x in body shouldn't contain duplicates`,
		],
		['minProperties', { type: 'object', minProperties: 1 }, {}, 'Invalid value: {}: spec.x in body should have at least 1 properties'],
		['maxProperties', { type: 'object', maxProperties: 0 }, { a: 1 }, 'Too many: 1: must have at most 0 items'],
		['not', { type: 'string', not: { enum: ['a'] } }, 'a', 'Invalid value: "": "spec.x" must not validate the schema (not)'],
		['int32', { type: 'integer', format: 'int32' }, 2 ** 31, 'Invalid value: 2147483648: spec.x in body must be of type int32'],
		['format', { type: 'string', format: 'ipv4' }, '1.2.3', 'Invalid value: "1.2.3": spec.x in body must be of type ipv4: "1.2.3"'],
	])('%s', (_name, schema, value, message) => {
		expect(errorsOf(schema, value)).toEqual([`spec.x: ${message}`]);
	});

	it.each<[string, readonly string[], readonly string[]]>([
		['ipv4', ['10.0.0.1'], ['10.0.0.256', '::1', '']],
		['ipv6', ['::1', 'fd00::1'], ['10.0.0.1', 'fe80::1%eth0']],
		['cidr', ['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/8/8', '10.0.0.0/08']],
		['mac', ['00:00:5e:00:53:01', '02-00-5E-10-00-00', '0000.5e00.5301'], ['00:00:5e:00:53', '00:00-5e:00:53:01']],
		['date-time', ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.5+01:00'], ['2026-13-02T03:04:05Z', '2026-01-02']],
		['byte', ['', 'aGk='], ['aGk', 'a*==']],
		['uri', ['https://a/b', '/a'], ['a b']],
		['no-such-format', ['anything'], []],
	])('format %s', (format, good, bad) => {
		for (const value of good) expect(errorsOf({ type: 'string', format }, value)).toEqual([]);
		for (const value of bad) expect(errorsOf({ type: 'string', format }, value)).toHaveLength(1);
	});

	it('accepts integers as numbers, and null where nullable', () => {
		expect(errorsOf({ type: 'number' }, 1)).toEqual([]);
		expect(errorsOf({ type: 'integer', minimum: 5, nullable: true }, null)).toEqual([]);
	});

	it('holds null, too, to the enum', () => {
		expect(errorsOf({ type: 'string', nullable: true, enum: ['a'] }, null)).toEqual([
			'spec.x: Unsupported value: null: supported values: "a"',
		]);
		expect(errorsOf({ type: 'string', nullable: true, enum: ['a', null] }, null)).toEqual([]);
	});

	it('reads Go patterns', () => {
		expect(errorsOf({ type: 'string', pattern: '(?i)^[[:alpha:]]\\-\\d\\z' }, 'A-1')).toEqual([]);
		expect(errorsOf({ type: 'string', pattern: '^.$' }, '\u{1f600}')).toEqual([]);
	});

	it('names paths through lists and maps', () => {
		const port = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
		expect(errorsOf({ type: 'array', items: port }, [{ name: 'a' }, {}])).toEqual(['spec.x[1].name: Required value']);
		expect(errorsOf({ type: 'object', additionalProperties: { type: 'string' } }, { k: 1 })[0]).toMatch(
			/^spec\.x\.k: Invalid value: "integer"/,
		);
	});

	it('finds duplicates by the identity of the list type', () => {
		expect(errorsOf({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } }, ['a', 'b', 'a'])).toEqual([
			'spec.x[2]: Duplicate value: "a"',
		]);
		const map = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'] };
		const ports = [
			{ port: 53, protocol: 'UDP' },
			{ port: 53, protocol: 'TCP' },
			{ protocol: 'UDP', port: 53, name: 'again' },
		];
		expect(errorsOf(map, ports)).toEqual(['spec.x[2]: Duplicate value: {"port":53,"protocol":"UDP"}']);
	});

	it('reports the nearest alternative', () => {
		const schema = { type: 'object', oneOf: [{ required: ['a', 'c'] }, { required: ['b'] }] };
		expect(errorsOf(schema, {})).toEqual([
			'spec.x: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid',
			'spec.x.b: Required value',
		]);
		expect(errorsOf(schema, { a: 1, b: 1, c: 1 })).toEqual([
			'spec.x: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
		]);
		expect(errorsOf({ type: 'string', anyOf: [{ pattern: '^a' }, { maxLength: 1 }] }, 'bb')).toHaveLength(2);
		expect(errorsOf({ type: 'string', allOf: [{ pattern: '^a' }, { maxLength: 1 }] }, 'bb')).toHaveLength(2);
		expect(errorsOf({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, '80%')).toEqual([]);
	});

	it('asks an embedded resource for its type', () => {
		expect(errorsOf({ type: 'object', 'x-kubernetes-embedded-resource': true }, { kind: 'Pod' })).toEqual([
			'spec.x.apiVersion: Required value: must not be empty',
		]);
	});

	it('does not take inherited members for given ones', () => {
		expect(errorsOf({ type: 'object', required: ['toString'] }, {})).toEqual(['spec.x.toString: Required value']);
	});
});

describe('formatFieldErrors', () => {
	it('lists several in brackets', () => {
		const one = { field: 'spec.a', type: 'FieldValueRequired', message: 'Required value' } as const;
		expect(formatFieldErrors([one])).toBe('spec.a: Required value');
		expect(formatFieldErrors([one, { ...one, field: 'spec.b' }])).toBe('[spec.a: Required value, spec.b: Required value]');
	});
});

describe('fixed point', () => {
	const { node } = fc.letrec<{ node: object }>((tie) => ({
		node: fc.oneof(
			{ depthSize: 'small' },
			fc.record({ type: fc.constant('string'), default: fc.constantFrom('a', 'b'), nullable: fc.boolean() }, { requiredKeys: ['type'] }),
			fc.record(
				{
					type: fc.constant('object'),
					properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')),
					default: fc.constant({}),
					'x-kubernetes-preserve-unknown-fields': fc.constant(true),
				},
				{ requiredKeys: ['type', 'properties'] },
			),
			fc.record({ type: fc.constant('object'), additionalProperties: tie('node') }),
			fc.record({ type: fc.constant('array'), items: tie('node') }),
		),
	}));
	const { value } = fc.letrec<{ value: unknown }>((tie) => ({
		value: fc.oneof(
			{ depthSize: 'small' },
			fc.constantFrom(null, 1, 'a'),
			fc.array(tie('value'), { maxLength: 3 }),
			fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value')),
		),
	}));

	it('a pruned and defaulted object stays as it is', () => {
		fc.assert(
			fc.property(node, value, (schema, x) => {
				const { prune, applyDefaults } = spec({ x: schema });
				const before = { spec: { x } };
				const frozen = JSON.stringify(before);
				const once = applyDefaults(prune(before));
				expect(prune(once)).toBe(once);
				expect(applyDefaults(once)).toBe(once);
				expect(JSON.stringify(before)).toBe(frozen);
			}),
		);
	});
});
