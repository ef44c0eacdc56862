import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@tapestry/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection, openSocket } from './connection.ts';
import { Framer } from './framer.ts';
import { testClock } from './testing/session.ts';

let dir: string;
let server: Server;
let socket: Socket;
let remote: Socket;
let connection: Connection;
let clock: ManualClock;
let events: unknown[];
let inbox: unknown[];
let closed: Promise<Error>;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'rpc-'));
	server = createServer().listen(join(dir, 'sock'));
	await once(server, 'listening');
	const accepted = once(server, 'connection') as Promise<[Socket]>;
	socket = await openSocket(testClock, { path: join(dir, 'sock') }, 10_000, new AbortController().signal);
	[remote] = await accepted;
	// Whoever leaves first is no concern of a test.
	remote.on('error', () => {});
	inbox = [];
	const framer = new Framer();
	remote.on('data', (chunk: Uint8Array) => inbox.push(...framer.push(chunk).map((text) => JSON.parse(text))));
	clock = manualClock();
	events = [];
	const end = Promise.withResolvers<Error>();
	closed = end.promise;
	const onNotification = (method: string, params: readonly unknown[]): void => {
		if (method === 'strange') throw new Error('not taken');
		events.push([method, ...params]);
	};
	connection = new Connection({ socket, clock, handlers: { onNotification, onClose: end.resolve } }, { inactivityMs: 1000 });
});

afterEach(async () => {
	connection.close(new Error('test over'));
	remote.destroy();
	server.close();
	await rm(dir, { recursive: true });
});

describe('connection', () => {
	it('hands answers and notifications on in the order of their arrival', async () => {
		const answer = connection.call('monitor', ['db'], { onResult: (result) => events.push(result) });
		expect(await received()).toEqual([{ method: 'monitor', params: ['db'], id: 0 }]);
		send(
			{ method: 'update', params: [1], id: null },
			{ id: 0, result: 'content', error: null },
			{ method: 'update', params: [2], id: null },
		);
		expect(await answer).toBe('content');
		expect(events).toEqual([['update', 1], 'content', ['update', 2]]);
	});

	it('ends when what it hands on is not taken, as the rest of the chunk would be missed', async () => {
		const chunk = ['before', 'strange', 'after'].map((method) => JSON.stringify({ method, params: [], id: null })).join('');
		expect(() => socket.emit('data', Buffer.from(chunk))).toThrow('not taken');
		expect(events).toEqual([['before']]);
		expect((await closed).message).toBe('not taken');
	});

	it('answers an echo', async () => {
		send({ method: 'echo', params: ['x'], id: 'probe' });
		expect(await received()).toEqual([{ id: 'probe', result: ['x'], error: null }]);
	});

	it('rejects a call with the error that the server sends, object or text', async () => {
		const [first, second] = [connection.call('a', []), connection.call('b', [])];
		send({ id: 1, result: null, error: 'unknown method' }, { id: 0, result: null, error: { error: 'unknown database', details: 'x' } });
		await expect(first).rejects.toMatchObject({ code: 'OVSDB_REMOTE', details: { error: 'unknown database', details: 'x' } });
		await expect(second).rejects.toMatchObject({ code: 'OVSDB_REMOTE', details: { error: 'unknown method' } });
	});

	it('fails the calls in flight when it ends, and says that their outcome is unknown', async () => {
		const call = connection.call('transact', []);
		remote.destroy();
		await expect(call).rejects.toMatchObject({ code: 'OVSDB_DISCONNECTED', text: { why: expect.stringContaining('may or may not') } });
		await expect(connection.call('transact', [])).rejects.toMatchObject({ code: 'OVSDB_DISCONNECTED' });
	});

	it('cancels a call that is aborted and ignores its late answer', async () => {
		const abort = new AbortController();
		const call = connection.call('transact', [], { signal: abort.signal });
		abort.abort(new Error('enough'));
		await expect(call).rejects.toThrow('enough');
		expect(await received(2)).toEqual([
			{ method: 'transact', params: [], id: 0 },
			{ method: 'cancel', params: [0], id: null },
		]);
		const next = connection.call('echo', []);
		send({ id: 0, result: null, error: 'canceled' }, { id: 1, result: [], error: null });
		expect(await next).toEqual([]);
	});

	it.each(['}', '{"id":99,"result":null,"error":null}', '{"a":}'])('ends on %s', async (text) => {
		remote.write(text);
		expect(await closed).toMatchObject({ code: 'OVSDB_PROTOCOL' });
	});

	it('probes a silent server, and gives it up when the probe stays unanswered', async () => {
		clock.advance(1000);
		expect(await received()).toEqual([{ method: 'echo', params: [], id: 0 }]);
		const heard = connection.call('after-the-probe', []);
		send({ id: 0, result: [], error: null }, { id: 1, result: null, error: null });
		await heard;
		expect(await received()).toMatchObject([{ method: 'after-the-probe' }]);
		clock.advance(1000);
		expect(await received()).toContainEqual({ method: 'echo', params: [], id: 2 });
		clock.advance(1000);
		expect((await closed).message).toContain('no answer to a probe');
	});
});

it('a socket that cannot be opened is a disconnection', async () => {
	const path = join(dir, 'missing', 'sock');
	const opened = openSocket(testClock, { path }, 10_000, new AbortController().signal);
	await expect(opened).rejects.toMatchObject({ code: 'OVSDB_DISCONNECTED' });
});

it('an attempt to open a socket ends at once when it is aborted', async () => {
	const abort = new AbortController();
	const opened = openSocket(testClock, { path: join(dir, 'sock') }, 10_000, abort.signal);
	abort.abort(new Error('enough'));
	await expect(opened).rejects.toThrow('enough');
});

function send(...messages: readonly object[]): void {
	remote.write(messages.map((message) => JSON.stringify(message)).join(''));
}

/** The next messages that the server gets. */
async function received(count = 1): Promise<readonly unknown[]> {
	while (inbox.length < count) await once(remote, 'data');
	return inbox.splice(0, count);
}

interface ManualClock extends Clock {
	advance(ms: number): void;
}

function manualClock(): ManualClock {
	let now = 0;
	const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
	return {
		now: () => now,
		monotonic: () => now,
		after(ms, callback) {
			const timer = { at: now + ms, callback };
			timers.add(timer);
			return () => timers.delete(timer);
		},
		advance(ms) {
			now += ms;
			for (const timer of [...timers].filter(({ at }) => at <= now)) {
				timers.delete(timer);
				timer.callback();
			}
		},
	};
}
