import { expect, it } from 'vitest';
import { parseSubject } from './subject.ts';

it.each([
	['pod/a', { kind: 'pod', namespace: 'shop', name: 'a' }],
	['vm/bank/b', { kind: 'vm', namespace: 'bank', name: 'b' }],
	['svc/web', { kind: 'svc', namespace: 'shop', name: 'web' }],
	['node/n1', { kind: 'node', namespace: 'shop', name: 'n1' }],
	['fd00::1', { kind: 'address', namespace: '', name: 'fd00::1' }],
])('%s is understood', (text, expected) => {
	expect(parseSubject(text, 'shop')).toEqual(expected);
});

it.each(['a', 'pod/', 'pod/A', 'deployment/a', 'node/x/n1', '10.0.0.300', 'pod/a/b/c', 'pod/../b'])('%s is refused', (text) => {
	expect(() => parseSubject(text, 'shop')).toThrow(/names nothing/);
});
