import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SchemaDocument } from '@tapestry/network';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Framer } from './framer.ts';
import { nextChange, nextConnection, testSession } from './testing/session.ts';
import type { Session } from './types.ts';

interface Request {
	readonly method: string;
	readonly params: readonly unknown[];
	readonly id: number;
}

const uuid = '6e1f3a52-6f6c-4f5e-9f39-5c7f4b1a0001';
const never = '00000000-0000-0000-0000-000000000000';
const schema: SchemaDocument = {
	name: 'db',
	version: '1.0.0',
	tables: { T: { columns: { name: { type: 'string' }, size: { type: 'integer' } } } },
};

// Servers that misbehave as no real one can be made to: an old one, a confused one, one whose schema changes.
let dir: string;
let server: Server;
let session: Session;
let peer: Socket;
let answers: Record<string, (request: Request) => object | undefined>;
let asked: Request[];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'session-'));
	asked = [];
	answers = { get_schema: () => ({ result: schema }) };
	server = createServer((socket) => {
		// Whoever leaves first is no concern of a test.
		peer = socket.on('error', () => {});
		const framer = new Framer();
		socket.on('data', (chunk) => {
			for (const text of framer.push(chunk)) answer(JSON.parse(text) as Request);
		});
	}).listen(join(dir, 'sock'));
	await once(server, 'listening');
	session = testSession(`unix:${join(dir, 'sock')}`);
});

afterEach(async () => {
	await session.close();
	server.close();
	await rm(dir, { recursive: true });
});

function answer(request: Request): void {
	asked.push(request);
	const reply = answers[request.method]?.(request);
	if (reply) send({ id: request.id, result: null, error: null, ...reply });
}

function send(...messages: readonly object[]): void {
	peer.write(messages.map((message) => JSON.stringify(message)).join(''));
}

function content(size: number): object {
	return { result: [false, uuid, { T: { [uuid]: { initial: { name: 'row', size } } } }] };
}

describe('session', () => {
	it('refuses a server without monitor_cond_since and says what it needs', async () => {
		answers.monitor_cond_since = () => ({ error: 'unknown method' });
		await expect(session.monitor('db', { T: {} })).rejects.toMatchObject({
			code: 'OVSDB_UNSUPPORTED',
			text: { fix: expect.stringContaining('2.12') },
		});
		expect(session.connected).toBe(true);
	});

	it('reads everything anew after an update that does not fit, and keeps the content until then', async () => {
		answers.monitor_cond_since = () => content(1);
		const replica = await session.monitor('db', { T: {} });
		const disconnected = nextConnection(session, false);
		const change = nextChange(replica);
		const unknown = '6e1f3a52-6f6c-4f5e-9f39-5c7f4b1a0002';
		answers.monitor_cond_since = () => content(2);
		send({
			method: 'update3',
			params: ['monitor-0', uuid, { T: { [uuid]: { modify: { size: 9 } }, [unknown]: { modify: { size: 3 } } } }],
			id: null,
		});
		await disconnected;
		expect(replica.table('T').get(uuid)).toMatchObject({ size: 1 });
		expect(await change).toMatchObject({ changes: [{ before: { size: 1 }, after: { size: 2 } }], reset: true });
		expect(asked.filter(({ method }) => method === 'monitor_cond_since').map(({ params }) => params[3])).toEqual([never, never]);
	});

	it('is not connected again before the schema has what its replicas need', async () => {
		answers.monitor_cond_since = () => content(1);
		const replica = await session.monitor('db', { T: { columns: ['size'] } });
		let refused = 0;
		answers.get_schema = () => {
			const lacking: SchemaDocument = { ...schema, tables: { T: { columns: {} } } };
			return { result: refused++ < 2 ? lacking : schema };
		};
		const connected = nextConnection(session, true);
		peer.destroy();
		await connected;
		expect(refused).toBe(3);
		expect(replica.table('T').get(uuid)).toMatchObject({ size: 1 });
	});

	it('starts a monitor on the next connection when the first breaks in between', async () => {
		answers.monitor_cond_since = () => {
			answers.monitor_cond_since = () => content(1);
			peer.destroy();
			return undefined;
		};
		const replica = await session.monitor('db', { T: {} });
		expect(replica.table('T').get(uuid)).toEqual({ _uuid: uuid, name: 'row', size: 1 });
	});

	it('goes on with the connection that lasts when two break during the first start of a monitor', async () => {
		let breaks = 2;
		answers.monitor_cond_since = () => {
			if (breaks-- <= 0) return content(1);
			peer.destroy();
			return undefined;
		};
		await session.monitor('db', { T: {} });
		answers.transact = () => ({ result: [{}] });
		expect(await session.transact('db', [{ op: 'comment', comment: 'hello' }])).toEqual([{}]);
	});

	it('takes no grant for its own that an earlier request of the lock has caused', async () => {
		const held: boolean[] = [];
		const asking = Promise.withResolvers<Request>();
		answers.lock = (request) => {
			asking.resolve(request);
			return undefined;
		};
		const lock = session.lock('leader', (value) => held.push(value));
		const { id } = await asking.promise;
		const grant = { method: 'locked', params: ['leader'], id: null };
		answers.echo = () => ({ result: [] });
		answers.transact = () => ({ result: [] });
		send(grant, { id, result: { locked: false }, error: null });
		await session.transact('db', []);
		expect([lock.held, held]).toEqual([false, []]);
		send(grant);
		await session.transact('db', []);
		expect([lock.held, held]).toEqual([true, [true]]);
	});
});

it('a session is not made for an endpoint that is none', () => {
	expect(() => testSession('localhost:6641')).toThrow(/is not a database endpoint/);
});
