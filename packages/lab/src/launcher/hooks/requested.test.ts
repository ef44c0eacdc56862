import { expect, it } from 'vitest';
import { bindingSidecarsOf, hookSidecarsOf } from './requested.ts';

it('knows the sidecars of an instance', () => {
	expect(hookSidecarsOf(undefined)).toEqual([]);
	expect(hookSidecarsOf('[{"image": "tapestry.io/hook-sidecar", "args": ["--log-level=debug"]}]')).toEqual([
		{ program: 'agent/src/kubevirt/sidecar/main.ts', args: ['--guest-checksums', '--log-level=debug'] },
	]);
});

it('knows the sidecar of a registered binding plugin, once', () => {
	const nic = (name: string) => ({ binding: { name } });
	expect(bindingSidecarsOf([{}, nic('tapestry'), nic('lift'), nic('constructor')])).toEqual([]);
	expect(bindingSidecarsOf([nic('tapestry-tap'), nic('tapestry-tap')])).toEqual([
		{ program: 'agent/src/kubevirt/sidecar/main.ts', args: ['--guest-checksums'], binding: 'tapestry-tap' },
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
