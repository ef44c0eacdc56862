import { CodedError, silentLogger } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import type { Event } from './builtin.ts';
import { createEventRecorder } from './event-recorder.ts';
import { events, nodes, pods } from './resources.ts';
import { createFakeClock } from './testing/fake-clock.ts';
import { createMemoryApi } from './testing/memory-client.ts';

const pod = { metadata: { name: 'x', namespace: 'a', uid: 'u1' } };
const text = { type: 'Warning', reason: 'Odd', message: 'something is odd' } as const;

function start(around?: Parameters<ReturnType<typeof createMemoryApi>['client']>[0]) {
	const api = createMemoryApi();
	const clock = createFakeClock(1_700_000_000_000);
	const recorder = createEventRecorder({ client: api.client(around), clock, random: () => 0.5, log: silentLogger }, { component: 'test' });
	return { api, clock, recorder, stored: () => api.all(events) as readonly Event[] };
}

describe('event recorder', () => {
	it('writes an event about the object', async () => {
		const { recorder, stored } = start();
		recorder.record(pods, pod, text);
		await recorder.flush();
		expect(stored()).toMatchObject([
			{
				metadata: { namespace: 'a' },
				involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'x', namespace: 'a', uid: 'u1' },
				...text,
				count: 1,
				source: { component: 'test' },
				firstTimestamp: '2023-11-14T22:13:20Z',
			},
		]);
	});

	it('counts repetitions in one event and keeps other texts apart', async () => {
		const { recorder, clock, stored } = start();
		recorder.record(pods, pod, text);
		recorder.record(pods, pod, text);
		await recorder.flush();
		await clock.advance(5_000);
		recorder.record(pods, pod, text);
		recorder.record(pods, pod, { ...text, message: 'else' });
		await recorder.flush();
		expect(stored().map(({ message, count, lastTimestamp }) => [message, count, lastTimestamp])).toEqual([
			[text.message, 3, '2023-11-14T22:13:25Z'],
			['else', 1, '2023-11-14T22:13:25Z'],
		]);
	});

	it('starts a new event when the old one has expired', async () => {
		const { recorder, api, stored, clock } = start();
		recorder.record(pods, pod, text);
		await recorder.flush();
		await api.client().remove(events, { namespace: 'a', name: stored()[0]!.metadata.name });
		await clock.advance(1_000);
		recorder.record(pods, pod, text);
		await recorder.flush();
		expect(stored()).toMatchObject([{ count: 2 }]);
	});

	it('keeps events of cluster-scoped objects in the default namespace and survives failures', async () => {
		let down = true;
		const { recorder, stored } = start(async (_, next) => {
			if (down) throw new CodedError('KUBE_UNAVAILABLE', 'down');
			return next();
		});
		recorder.record(nodes, { metadata: { name: 'n', uid: 'u2' } }, text);
		await recorder.flush();
		down = false;
		recorder.record(nodes, { metadata: { name: 'n', uid: 'u2' } }, text);
		await recorder.flush();
		expect(stored()).toMatchObject([{ metadata: { namespace: 'default' }, involvedObject: { kind: 'Node' }, count: 2 }]);
	});
});
