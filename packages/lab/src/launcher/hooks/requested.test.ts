import { expect, it } from 'vitest';
import { hookSidecarsOf } from './requested.ts';

it('knows the sidecars of an instance', () => {
	expect(hookSidecarsOf(undefined)).toEqual([]);
	expect(hookSidecarsOf('[{"image": "tapestry.io/hook-sidecar", "args": ["--log-level=debug"]}]')).toEqual([
		{ program: 'agent/src/kubevirt/sidecar/main.ts', args: ['--log-level=debug'] },
	]);
});

it.each([
	['nonsense', 'it is not JSON'],
	['{}', 'it is not a list'],
	['[null]', 'image undefined is none'],
	['[{"image": "example.com/other:1"}]', 'image "example.com/other:1" is none that the lab has a program for'],
])('refuses %s', (annotation, why) => {
	expect(() => hookSidecarsOf(annotation)).toThrow(why);
});
