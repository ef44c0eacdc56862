import { describe, expect, it } from 'vitest';
import { checkStructural } from './index.ts';

function problems(spec: object): string[] {
	return checkStructural({ type: 'object', properties: { spec } }).map((error) => `${error.field}: ${error.message}`);
}
const at = 'properties[spec]';

describe('checkStructural', () => {
	it('accepts what controller-gen writes', () => {
		const quantity = { anyOf: [{ type: 'integer' }, { type: 'string' }], pattern: '^[0-9]+$', 'x-kubernetes-int-or-string': true };
		const condition = {
			type: 'object',
			required: ['type'],
			properties: { type: { type: 'string' }, status: { type: 'string', enum: ['True', 'False'] } },
		};
		const spec = {
			type: 'object',
			'x-kubernetes-validations': [{ rule: 'self.a == 1' }],
			oneOf: [{ required: ['limits'] }, { required: ['conditions'] }],
			properties: {
				limits: { type: 'object', additionalProperties: quantity },
				conditions: { type: 'array', items: condition, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
				free: { 'x-kubernetes-preserve-unknown-fields': true },
				template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
				mode: { type: 'string', default: 'a', pattern: '^[a-z]$' },
			},
		};
		expect(problems(spec)).toEqual([]);
	});

	it.each<[string, object, string]>([
		['no type', {}, `${at}.type: Required value: must not be empty for specified object fields`],
		[
			'unknown type',
			{ type: 'map' },
			`${at}.type: Unsupported value: "map": supported values: "array", "boolean", "integer", "number", "object", "string"`,
		],
		['items without type', { type: 'array', items: {} }, `${at}.items.type: Required value: must not be empty for specified array items`],
		['array without items', { type: 'array' }, `${at}.items: Required value: must be specified`],
		['tuple', { type: 'array', items: [{ type: 'string' }] }, `${at}.items: Forbidden: items must be a schema object and not an array`],
		[
			'int-or-string with type',
			{ type: 'string', 'x-kubernetes-int-or-string': true },
			`${at}.type: Invalid value: "string": must be empty if x-kubernetes-int-or-string is true`,
		],
		[
			'both forms of members',
			{ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true },
			`${at}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
		],
		[
			'additionalProperties: false',
			{ type: 'object', additionalProperties: false },
			`${at}.additionalProperties: Forbidden: additionalProperties cannot be set to false`,
		],
		['$ref', { type: 'object', $ref: '#/x' }, `${at}.$ref: Forbidden: $ref is not supported`],
		[
			'uniqueItems',
			{ type: 'array', items: { type: 'string' }, uniqueItems: true },
			`${at}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
		],
		[
			'type in an alternative',
			{ type: 'string', anyOf: [{ type: 'string' }] },
			`${at}.anyOf[0].type: Forbidden: must be undefined to be structural`,
		],
		[
			'default in an alternative',
			{ type: 'string', allOf: [{ not: { default: 'a' } }] },
			`${at}.allOf[0].not.default: Forbidden: must be undefined to be structural`,
		],
		[
			'preserve: false',
			{ type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
			`${at}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
		],
		[
			'empty embedded resource',
			{ type: 'object', 'x-kubernetes-embedded-resource': true },
			`${at}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
		],
		[
			'list type on an object',
			{ type: 'object', 'x-kubernetes-list-type': 'set' },
			`${at}.type: Invalid value: "object": must be array if x-kubernetes-list-type is specified`,
		],
		[
			'map without keys',
			{ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' },
			`${at}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
		],
		[
			'default of another type',
			{ type: 'integer', default: 'a' },
			`${at}.default: Invalid value: "string": ${at}.default in body must be of type integer: "string"`,
		],
		[
			'default that pruning changes',
			{ type: 'object', default: { a: 1 }, properties: {} },
			`${at}.default: Invalid value: {"a":1}: must be equal to itself after pruning`,
		],
	])('%s', (_name, spec, problem) => {
		expect(problems(spec)).toEqual([problem]);
	});

	it('wants alternatives to name fields of the structure only', () => {
		const [problem] = problems({ type: 'object', properties: {}, anyOf: [{ properties: { a: { minLength: 1 } } }] });
		expect(problem).toMatch(/^properties\[spec\]\.anyOf\[0\]\.properties\[a\]: Required value/);
	});

	it('wants map keys to be always there', () => {
		const items = { type: 'object', properties: { name: { type: 'string' } } };
		const [problem] = problems({ type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
		expect(problem).toMatch(/^properties\[spec\]\.items\.properties\[name\]\.default: Required value/);
	});

	it('refuses a pattern that is none', () => {
		expect(problems({ type: 'string', pattern: '(' })[0]).toMatch(/pattern: Invalid value: "\(": must be a valid regular expression/);
	});

	it('leaves metadata to the API machinery', () => {
		const metadata = { type: 'object', properties: { name: { type: 'string', pattern: '^a' } } };
		expect(checkStructural({ type: 'object', properties: { metadata } })).toEqual([]);
		const labels = { type: 'object', properties: { labels: { type: 'object', additionalProperties: { type: 'string' } } } };
		expect(checkStructural({ type: 'object', properties: { metadata: labels } })).toHaveLength(1);
	});

	it('wants an object at the root', () => {
		expect(checkStructural({})).toEqual([
			expect.objectContaining({ field: 'type', message: 'Required value: must not be empty at the root' }),
		]);
		expect(checkStructural({ type: 'string' })).toEqual([
			expect.objectContaining({ message: 'Invalid value: "string": must be object at the root' }),
		]);
	});
});
