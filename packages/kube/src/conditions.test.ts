import { describe, expect, it } from 'vitest';
import { type Condition, microTimestamp, setCondition, timestamp } from './conditions.ts';

const ready: Condition = { type: 'Ready', status: 'True', reason: 'Up', message: 'all well', lastTransitionTime: '2026-01-01T00:00:00Z' };
const other: Condition = { type: 'Other', status: 'False' };
const now = Date.parse('2026-02-02T00:00:00Z');

describe('setCondition', () => {
	it('adds a condition with the time', () => {
		expect(setCondition([other], { type: 'Ready', status: 'True' }, now)).toEqual([
			other,
			{ type: 'Ready', status: 'True', lastTransitionTime: '2026-02-02T00:00:00Z' },
		]);
	});

	it('keeps the time while the status stays, and moves it when it changes', () => {
		const reworded = setCondition([ready, other], { type: 'Ready', status: 'True', reason: 'Up', message: 'still' }, now);
		expect(reworded).toEqual([{ ...ready, message: 'still' }, other]);
		const flipped = setCondition([ready], { type: 'Ready', status: 'False', reason: 'Down', message: 'gone' }, now);
		expect(flipped[0]).toMatchObject({ status: 'False', lastTransitionTime: '2026-02-02T00:00:00Z' });
	});

	it('returns the same array when nothing changes', () => {
		const conditions = [ready, other];
		expect(setCondition(conditions, { type: 'Ready', status: 'True', reason: 'Up', message: 'all well' }, now)).toBe(conditions);
	});

	it('writes times as the API does', () => {
		expect(timestamp(1_700_000_000_123)).toBe('2023-11-14T22:13:20Z');
		expect(microTimestamp(1_700_000_000_123)).toBe('2023-11-14T22:13:20.123000Z');
	});
});
