import { expect, it } from 'vitest';
import { createTestRest } from '../testing/rest.ts';
import { startEventExpiry } from './event-expiry.ts';

const minute = 60_000;

it('removes events an hour after they were last written', async () => {
	using rest = createTestRest();
	const stop = startEventExpiry(rest, rest.context);
	const event = (name: string): object => ({ metadata: { name }, involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' } });
	const left = (): string[] => rest.context.store.list('events').map(({ metadata }) => metadata.name);
	rest.create('events', event('first'));
	await rest.clock.advance(30 * minute);
	rest.create('events', event('second'));
	rest.update('events', 'first', (object) => ({ ...object, count: 2 }));
	rest.create('events', event('third'));
	rest.remove('events', 'second');
	await rest.clock.advance(59 * minute);
	expect(left()).toEqual(['first', 'third']);
	await rest.clock.advance(minute);
	expect(left()).toEqual([]);
	expect(rest.clock.nextIn()).toBeUndefined();
	stop();
});
