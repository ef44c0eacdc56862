import { describe, expect, it } from 'vitest';
import { applyMergePatch } from './index.ts';

describe('applyMergePatch', () => {
	// RFC 7386, appendix A: those whose target and patch are objects, or become members of one.
	it.each<[object, object, object]>([
		[{ a: 'b' }, { a: 'c' }, { a: 'c' }],
		[{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
		[{ a: 'b' }, { a: null }, {}],
		[{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
		[{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
		[{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
		[{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
		[{ a: { b: 'c', kept: 1 } }, { a: { b: 'd' } }, { a: { b: 'd', kept: 1 } }],
		[{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
		[{ e: null }, { a: 1 }, { e: null, a: 1 }],
		[{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
	])('%j + %j = %j', (target, patch, result) => {
		const before = JSON.stringify(target);
		expect(applyMergePatch(target, patch)).toEqual(result);
		expect(JSON.stringify(target)).toBe(before);
	});

	it('treats members called __proto__ as data', () => {
		const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
		expect(JSON.stringify(patched)).toBe('{"__proto__":{"polluted":true}}');
		expect('polluted' in patched).toBe(false);
	});

	it.each([[[]], ['x'], [null], [1]])('refuses %j', (patch) => {
		expect(() => applyMergePatch({}, patch)).toThrow(expect.objectContaining({ code: 'PATCH_INVALID' }));
	});
});
