import { expect, expectTypeOf, it } from 'vitest';
import { arrayOf, intOrString, mapOf, object, oneOf, openObject, string, type TypeOf } from './schema.ts';

it('writes OpenAPI and infers the type of its values', () => {
	const schema = object(
		'A thing.',
		{
			name: string('Its name.', { minLength: 1 }),
			colour: oneOf(['red', 'blue'], 'Its colour.', { default: 'red' }),
			parts: arrayOf(object('A part.', { size: intOrString('How big.') }, ['size']), 'Its parts.'),
			tags: mapOf(string('A tag.'), 'Its tags.'),
		},
		['name'],
	);
	expect(schema).toEqual({
		type: 'object',
		description: 'A thing.',
		properties: {
			name: { type: 'string', description: 'Its name.', minLength: 1 },
			colour: { type: 'string', description: 'Its colour.', enum: ['red', 'blue'], default: 'red' },
			parts: {
				type: 'array',
				description: 'Its parts.',
				items: {
					type: 'object',
					description: 'A part.',
					properties: { size: { description: 'How big.', 'x-kubernetes-int-or-string': true } },
					required: ['size'],
				},
			},
			tags: { type: 'object', description: 'Its tags.', additionalProperties: { type: 'string', description: 'A tag.' } },
		},
		required: ['name'],
	});
	expectTypeOf<TypeOf<typeof schema>>().toEqualTypeOf<{
		readonly name: string;
		readonly colour?: 'red' | 'blue';
		readonly parts?: readonly { readonly size: number | string }[];
		readonly tags?: Readonly<Record<string, string>>;
	}>();
});

it('keeps unknown fields only where it says so', () => {
	expect(openObject('Any.', {})).toEqual({
		type: 'object',
		description: 'Any.',
		properties: {},
		'x-kubernetes-preserve-unknown-fields': true,
	});
});
