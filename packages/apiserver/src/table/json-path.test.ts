import { describe, expect, it } from 'vitest';
import { compileJsonPath } from './json-path.ts';

const object = {
	spec: {
		'a.b/c': 1,
		list: [
			{ name: 'x', on: true, n: 1 },
			{ name: 'y z', n: 2 },
		],
		nested: [{ k: ['p', 'q'] }, { k: ['r'] }],
	},
};

describe('compileJsonPath', () => {
	it.each<[string, readonly unknown[]]>([
		['.spec.list[0].name', ['x']],
		['{.spec.list[1].name}', ['y z']],
		['spec.list[-1].n', [2]],
		['$.spec.list[0].n', [1]],
		['.spec.a\\.b/c', [1]],
		[".spec['a.b/c']", [1]],
		[".spec['a\\.b/c']", [1]],
		['.spec.list[*].name', ['x', 'y z']],
		['.spec.nested[*].k[*]', ['p', 'q', 'r']],
		['.spec.list[?(@.name=="y z")].n', [2]],
		[".spec.list[?(@.name != 'x')].n", [2]],
		['.spec.list[?(@.n==1)].name', ['x']],
		['.spec.list[?(@.on==true)].name', ['x']],
		['.spec.list[?(@.on)].name', ['x']],
		['.spec.list[5]', []],
		['.spec.toString', []],
		['.gone.deeper', []],
		['', [object]],
	])('%s', (path, values) => {
		expect(compileJsonPath(path)?.(object)).toEqual(values);
	});

	it.each(['..name', '.spec[1:2]', '.spec[', '.a.', '{.a', '.spec.list[?(@.a > 1)]'])('does not know %s', (path) => {
		expect(compileJsonPath(path)).toBeUndefined();
	});
});
