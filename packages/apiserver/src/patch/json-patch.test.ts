import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from './index.ts';

const document = { metadata: { labels: { 'a/b': '1', 'c~d': '2' } }, list: ['x', 'y'], none: null, text: 'abc' };

describe('applyJsonPatch', () => {
	it('applies the operations of RFC 6902 in order', () => {
		const patch = [
			{ op: 'add', path: '/list/1', value: 'between' },
			{ op: 'add', path: '/list/-', value: 'last' },
			{ op: 'remove', path: '/metadata/labels/a~1b' },
			{ op: 'replace', path: '/metadata/labels/c~0d', value: '3' },
			{ op: 'replace', path: '/none', value: 1 },
			{ op: 'copy', from: '/list/0', path: '/first' },
			{ op: 'move', from: '/text', path: '/moved' },
			{ op: 'test', path: '/moved', value: 'abc' },
		];
		expect(applyJsonPatch(document, patch)).toEqual({
			metadata: { labels: { 'c~d': '3' } },
			list: ['x', 'between', 'y', 'last'],
			none: 1,
			first: 'x',
			moved: 'abc',
		});
	});

	it('leaves the document alone, also when a later operation fails', () => {
		const before = JSON.stringify(document);
		const patch = [
			{ op: 'remove', path: '/list' },
			{ op: 'test', path: '/text', value: 'other' },
		];
		expect(() => applyJsonPatch(document, patch)).toThrow(/operation 1: the value at \/text/);
		expect(JSON.stringify(document)).toBe(before);
	});

	it.each<[string, unknown]>([
		['a missing member', { op: 'remove', path: '/gone' }],
		['a missing parent', { op: 'add', path: '/gone/a', value: 1 }],
		['a member of a string', { op: 'add', path: '/text/a', value: 1 }],
		['an inherited member', { op: 'remove', path: '/toString' }],
		['the length of a list', { op: 'remove', path: '/list/length' }],
		['an index with a leading zero', { op: 'replace', path: '/list/01', value: 1 }],
		['an index past the end', { op: 'add', path: '/list/3', value: 1 }],
		['the end of a list, to replace', { op: 'replace', path: '/list/-', value: 1 }],
		['the prototype', { op: 'add', path: '/__proto__/polluted', value: 1 }],
		['the prototype itself', { op: 'add', path: '/__proto__', value: { polluted: true } }],
		['a missing source', { op: 'copy', from: '/gone', path: '/a' }],
		['its own child as a target', { op: 'move', from: '/metadata', path: '/metadata/labels/a' }],
		['the whole document, to remove', { op: 'remove', path: '' }],
	])('refuses %s', (_name, operation) => {
		expect(() => applyJsonPatch(document, [operation])).toThrow(
			expect.objectContaining({ code: 'PATCH_INVALID', details: { fault: 'inapplicable' } }),
		);
	});

	it.each<[string, unknown]>([
		['no list', { op: 'remove', path: '/text' }],
		['no object', ['remove']],
		['an unknown op', [{ op: 'toString', path: '/text' }]],
		['no path', [{ op: 'remove' }]],
		['a relative path', [{ op: 'remove', path: 'text' }]],
		['no value', [{ op: 'add', path: '/a' }]],
		['no source', [{ op: 'move', path: '/a' }]],
	])('refuses %s as malformed', (_name, patch) => {
		expect(() => applyJsonPatch(document, patch)).toThrow(
			expect.objectContaining({ code: 'PATCH_INVALID', details: { fault: 'malformed' } }),
		);
	});
});
