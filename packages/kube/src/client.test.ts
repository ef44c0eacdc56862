import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@tapestry/base';
import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient, type KubeConnection } from './client.ts';
import { createFakeClock, settle } from './testing/fake-clock.ts';
import type { WatchEvent } from './types.ts';

const pods = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const nodes = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

interface Seen {
	readonly method: string;
	readonly url: URL;
	readonly type: string | undefined;
	readonly authorization: string | undefined;
	readonly body: unknown;
}

const cleanup: (() => void)[] = [];
afterEach(() => {
	for (const stop of cleanup.splice(0)) stop();
});

async function serve(
	answer: (seen: Seen, response: ServerResponse, request: IncomingMessage) => void,
	clock: Clock = createFakeClock(),
): Promise<{ readonly client: KubeConnection; readonly seen: Seen[] }> {
	const seen: Seen[] = [];
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const body = Buffer.concat(chunks).toString();
		const one = {
			method: request.method ?? '',
			url: new URL(request.url ?? '', 'http://server'),
			type: request.headers['content-type'],
			authorization: request.headers.authorization,
			body: body === '' ? undefined : (JSON.parse(body) as unknown),
		};
		seen.push(one);
		answer(one, response, request);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const config = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret', namespace: 'default' };
	const client = createKubeClient({ clock, random: () => 0.5 }, { kubeconfig: config });
	cleanup.push(() => {
		client.close();
		server.closeAllConnections();
		server.close();
	});
	return { client, seen };
}

const json = (response: ServerResponse, status: number, value: unknown): void => {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};
const object = (name: string) => ({ metadata: { name, namespace: 'a' } });

describe('kube client', () => {
	it('addresses collections, objects and subresources', async () => {
		const { client, seen } = await serve((_, response) => json(response, 200, object('x')));
		await client.get(pods, { namespace: 'a', name: 'x' });
		await client.get(nodes, { name: 'n' }, { subresource: 'status' });
		await client.create(pods, object('x'));
		await client.create(pods, { ...object('x'), apiVersion: 'v1', kind: 'Binding' }, { subresource: 'binding' });
		await client.replace(pods, object('x'), { subresource: 'status' });
		await client.patch(pods, { namespace: 'a', name: 'x' }, 'application/merge-patch+json', { spec: 1 });
		await client.remove(pods, { namespace: 'a', name: 'x' }, { uid: 'u', gracePeriodSeconds: 0 });
		expect(seen.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
			'GET /api/v1/namespaces/a/pods/x',
			'GET /api/v1/nodes/n/status',
			'POST /api/v1/namespaces/a/pods',
			'POST /api/v1/namespaces/a/pods/x/binding',
			'PUT /api/v1/namespaces/a/pods/x/status',
			'PATCH /api/v1/namespaces/a/pods/x',
			'DELETE /api/v1/namespaces/a/pods/x',
		]);
		expect(seen[2]?.body).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
		expect(seen[3]?.body).toMatchObject({ kind: 'Binding' });
		expect(seen[5]?.type).toBe('application/merge-patch+json');
		expect(seen[6]?.body).toMatchObject({ kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
		expect(seen[0]?.authorization).toBe('Bearer secret');
	});

	it('follows a list over its pages', async () => {
		const { client, seen } = await serve(({ url }, response) => {
			const last = url.searchParams.get('continue') === 'more';
			const metadata = last ? { resourceVersion: '7' } : { resourceVersion: '7', continue: 'more' };
			json(response, 200, { metadata, items: [object(last ? 'y' : 'x')] });
		});
		const list = await client.list(pods, { namespace: 'a', labelSelector: 'app in (b,c)' });
		expect(list.resourceVersion).toBe('7');
		expect(list.items.map((item) => item.metadata.name)).toEqual(['x', 'y']);
		expect(seen.map(({ url }) => url.searchParams.get('labelSelector'))).toEqual(['app in (b,c)', 'app in (b,c)']);
	});

	it.each([
		[404, 'NotFound', 'KUBE_NOT_FOUND'],
		[409, 'AlreadyExists', 'KUBE_EXISTS'],
		[409, 'Conflict', 'KUBE_CONFLICT'],
		[422, 'Invalid', 'KUBE_INVALID'],
		[410, 'Expired', 'KUBE_GONE'],
		[403, 'Forbidden', 'KUBE_FORBIDDEN'],
		[503, 'ServiceUnavailable', 'KUBE_UNAVAILABLE'],
		[500, 'InternalError', 'KUBE_STATUS'],
	])('turns %i %s into %s', async (status, reason, code) => {
		const { client } = await serve((_, response) => json(response, status, { kind: 'Status', reason, message: 'because' }));
		const error = await client.get(nodes, { name: 'n' }).catch((caught: unknown) => caught);
		expect(error).toMatchObject({ code, details: { status: { reason } } });
		expect(String(error)).toContain('because');
	});

	it('reads watch events across chunks and a whole answer', async () => {
		const text = [
			{ type: 'ADDED', object: object('ü') },
			{ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
		].map((event) => `${JSON.stringify(event)}\n`);
		const bytes = Buffer.from(text.join(''));
		const cut = bytes.indexOf(0xbc); // the second byte of ü
		const { client, seen } = await serve((_, response) => {
			response.writeHead(200);
			response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)));
		});
		const events: WatchEvent<object>[] = [];
		for await (const event of client.watch(pods, { resourceVersion: '5', namespace: 'a' })) events.push(event);
		expect(events).toMatchObject([
			{ type: 'ADDED', object: object('ü') },
			{ type: 'BOOKMARK', resourceVersion: '9' },
		]);
		expect(Object.fromEntries(seen[0]!.url.searchParams)).toEqual({
			watch: '1',
			allowWatchBookmarks: 'true',
			resourceVersion: '5',
			timeoutSeconds: '450',
		});
	});

	it('throws KUBE_GONE for an ERROR event', async () => {
		const { client } = await serve((_, response) => {
			response.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`);
		});
		await expect(drain(client.watch(pods, { resourceVersion: '5' }))).rejects.toMatchObject({ code: 'KUBE_GONE' });
	});

	it('gives a silent watch up', async () => {
		const clock = createFakeClock();
		const started = Promise.withResolvers<void>();
		const { client } = await serve((_, response) => {
			response.writeHead(200);
			response.flushHeaders();
			response.write(`${JSON.stringify({ type: 'ADDED', object: object('x') })}\n`, () => started.resolve());
		}, clock);
		const watch = drain(client.watch(pods, { resourceVersion: '5' }));
		const failed = expect(watch).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE', message: expect.stringContaining('90 s') });
		await started.promise;
		for (let i = 0; i < 200 && clock.nextIn() === undefined; i += 1) await settle();
		await clock.advance(90_000);
		await failed;
	});

	it('ends a watch and a request with the reason of its signal', async () => {
		const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const { client, seen } = await serve((_, response) => {
			response.flushHeaders();
			arrived[seen.length - 1]?.resolve();
		});
		for (const [index, start] of [
			(signal: AbortSignal) => drain(client.watch(pods, { resourceVersion: '5', signal })),
			(signal: AbortSignal) => client.get(nodes, { name: 'n' }, { signal }),
		].entries()) {
			const abort = new AbortController();
			const failed = expect(start(abort.signal)).rejects.toBe('enough');
			await arrived[index]!.promise;
			abort.abort('enough');
			await failed;
		}
	});

	it('repeats a read once when the server hung up on the connection', async () => {
		let first = true;
		const { client } = await serve((_, response, request) => {
			if (first) request.socket.resetAndDestroy();
			else json(response, 200, object('x'));
			first = false;
		});
		expect(await client.get(nodes, { name: 'n' })).toMatchObject({ metadata: { name: 'x' } });
	});

	it('reports an unreachable server', async () => {
		const config = { server: 'http://127.0.0.1:1', namespace: 'default' };
		const client = createKubeClient({ clock: createFakeClock(), random: Math.random }, { kubeconfig: config });
		await expect(client.get(nodes, { name: 'n' })).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' });
	});
});

async function drain(events: AsyncIterable<unknown>): Promise<void> {
	for await (const _ of events);
}
