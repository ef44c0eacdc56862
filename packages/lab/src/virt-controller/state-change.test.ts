import type { VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { openRequests, type StateChangeRequest } from './state-change.ts';

const instance = (phase: string, metadata: object = {}) =>
	({ metadata: { name: 'vm', uid: 'i1', ...metadata }, spec: { domain: {} }, status: { phase } }) as VirtualMachineInstance;
const start: StateChangeRequest = { action: 'Start' };
const stop: StateChangeRequest = { action: 'Stop', uid: 'i1' };

describe('openRequests', () => {
	it.each([
		['a start, while there is nothing', [start], undefined, [start]],
		['a start, while the last instance has ended', [start], instance('Succeeded'), [start]],
		['a start, while the last instance goes', [start], instance('Running', { deletionTimestamp: 'now' }), [start]],
		['no start of what runs', [start], instance('Pending'), []],
		['a stop of what runs', [stop], instance('Running'), [stop]],
		['no stop of what is gone', [stop], undefined, []],
		['no stop of a predecessor', [stop], instance('Running', { uid: 'i2' }), []],
		['a stop of whatever runs', [{ action: 'Stop' } as const], instance('Running', { uid: 'i2' }), [{ action: 'Stop' }]],
		['a restart, first half', [stop, start], instance('Running'), [stop, start]],
		['a restart, second half', [stop, start], undefined, [start]],
		['nothing of a restart that is done', [stop, start], instance('Running', { uid: 'i2' }), []],
	])('keeps %s', (_, requests, current, open) => expect(openRequests(requests, current)).toEqual(open));
});
