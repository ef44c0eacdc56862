import { describe, expect, it } from 'vitest';
import type { Taint, Toleration } from './builtin.ts';
import { tolerates } from './taints.ts';

const taint: Taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };

describe('tolerates', () => {
	it.each<[Toleration, boolean]>([
		[{ key: 'dedicated', operator: 'Equal', value: 'db', effect: 'NoSchedule' }, true],
		[{ key: 'dedicated', value: 'web' }, false],
		[{ key: 'dedicated', operator: 'Exists' }, true],
		[{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, false],
		[{ key: 'other', operator: 'Exists' }, false],
		[{ operator: 'Exists' }, true],
		[{}, false],
	])('%j: %s', (toleration, expected) => {
		expect(tolerates(toleration, taint)).toBe(expected);
	});
});
