import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../kube/src/testing/fake-clock.ts';
import { type ApiObject, recordAt, stringAt } from '../objects.ts';
import { createTestRest, type TestRest } from '../testing/rest.ts';
import { negotiate } from './negotiate.ts';
import { serveWatch, type WatchOptions } from './watch.ts';
import { createWatchers, type Watchers } from './watchers.ts';

let rest: TestRest;
let watchers: Watchers;
beforeEach(async () => {
	rest = createTestRest();
	await rest.settled();
	watchers = createWatchers(rest.context.registry);
});
afterEach(() => rest[Symbol.dispose]());

interface Event {
	readonly type: string;
	readonly object: ApiObject;
}

function watch(
	options: Partial<WatchOptions> = {},
	accept?: string,
): { readonly response: PassThrough; events(): Event[]; seen(): string[] } {
	const response = Object.assign(new PassThrough(), { writeHead() {}, flushHeaders() {} });
	let text = '';
	response.on('data', (chunk) => {
		text += chunk;
	});
	const endpoint = rest.context.registry.endpointOf('configmaps');
	if (!endpoint) throw new Error('not served');
	const { store, clock } = rest.context;
	const view = { ...negotiate(accept), endpoint, includeObject: 'Metadata' as const, clock };
	serveWatch({ store, clock, encoder: watchers.encoder, register: watchers.register }, response as unknown as ServerResponse, view, {
		namespace: 'default',
		matches: () => true,
		resourceVersion: store.resourceVersion,
		sendInitialEvents: false,
		bookmarks: false,
		timeout: 600_000,
		...options,
	});
	const events = (): Event[] =>
		text
			.split('\n')
			.slice(0, -1)
			.map((line) => JSON.parse(line));
	return { response, events, seen: () => events().map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim()) };
}

const create = (name: string, labels: Readonly<Record<string, string>> = {}): ApiObject =>
	rest.create('configmaps', { metadata: { name, labels } });
const relabel = (name: string, labels: Readonly<Record<string, string>>): ApiObject =>
	rest.update('configmaps', name, (object) => ({ ...object, metadata: { ...object.metadata, labels } }));

describe('serveWatch', () => {
	it('sends each change after the given version, of its own resource and namespace', () => {
		create('before');
		const { seen } = watch();
		create('a');
		rest.create('secrets', { metadata: { name: 'secret' } });
		rest.create('configmaps', { metadata: { name: 'elsewhere', namespace: 'kube-system' } });
		relabel('a', { x: 'y' });
		rest.remove('configmaps', 'a');
		expect(seen()).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
	});

	it('resumes without a gap', () => {
		const { metadata } = create('a');
		create('b');
		rest.remove('configmaps', 'a');
		const { seen } = watch({ resourceVersion: Number(metadata.resourceVersion) });
		create('c');
		expect(seen()).toEqual(['ADDED b', 'DELETED a', 'ADDED c']);
	});

	it('begins with what is there when no version is given', () => {
		create('a');
		const { seen } = watch({ resourceVersion: undefined });
		create('b');
		expect(seen()).toEqual(['ADDED a', 'ADDED b']);
	});

	it('marks the end of the initial events on request', () => {
		create('a');
		const { seen, events } = watch({ resourceVersion: undefined, sendInitialEvents: true });
		expect(seen()).toEqual(['ADDED a', 'BOOKMARK']);
		expect(events()[1]?.object).toEqual({
			kind: 'ConfigMap',
			apiVersion: 'v1',
			metadata: { resourceVersion: String(rest.context.store.resourceVersion), annotations: { 'k8s.io/initial-events-end': 'true' } },
		});
	});

	it('shows objects that begin and cease to match as added and deleted', () => {
		const { seen } = watch({ matches: ({ metadata }) => metadata.labels?.tier === 'front' });
		create('a');
		relabel('a', { tier: 'front' });
		relabel('a', { tier: 'front', x: 'y' });
		relabel('a', {});
		rest.remove('configmaps', 'a');
		expect(seen()).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
	});

	it('says that a version is gone, and ends', async () => {
		const { events, response } = watch({ resourceVersion: 999 });
		await settle();
		expect(events()).toEqual([{ type: 'ERROR', object: expect.objectContaining({ kind: 'Status', code: 410, reason: 'Expired' }) }]);
		expect(response.destroyed).toBe(true);
	});

	it('bookmarks what the selector hides, and only what is new', async () => {
		const { events } = watch({ bookmarks: true, matches: () => false });
		await rest.clock.advance(60_000);
		create('hidden');
		await rest.clock.advance(60_000);
		await rest.clock.advance(60_000);
		const bookmarks = events().map(({ type, object }) => `${type} ${object.metadata.resourceVersion}`);
		expect(bookmarks).toEqual([`BOOKMARK ${rest.context.store.resourceVersion}`]);
	});

	it('ends at its timeout, and leaves no timer', async () => {
		const { response, seen } = watch({ timeout: 5000, bookmarks: true });
		await rest.clock.advance(5000);
		await settle();
		expect(response.destroyed).toBe(true);
		create('late');
		expect(seen()).toEqual([]);
		expect(rest.clock.nextIn()).toBeUndefined();
	});

	it('ends when its kind changes or the server stops', async () => {
		const [first, second] = [watch(), watch()];
		const kind = rest.context.registry.kind('configmaps');
		if (kind) rest.context.registry.set(kind);
		await settle();
		expect(first.response.destroyed && second.response.destroyed).toBe(true);
		const third = watch();
		watchers.end();
		// Its connection is not closed yet, but nothing may be written any more.
		create('late');
		await settle();
		expect(third.seen()).toEqual([]);
		expect(third.response.destroyed).toBe(true);
	});

	it('gives up on a client that does not read', () => {
		const { response } = watch();
		response.removeAllListeners('data').pause();
		for (let count = 0; count < 50; count++)
			rest.create('configmaps', { metadata: { name: `big-${count}` }, data: { x: 'x'.repeat(1 << 20) } });
		expect(response.destroyed).toBe(true);
	});

	it('writes tables', () => {
		const { events } = watch({}, 'application/json;as=Table;v=v1;g=meta.k8s.io');
		create('a');
		const table = events()[0]?.object;
		expect(stringAt(table, 'kind')).toBe('Table');
		expect(recordAt(table, 'metadata')).toEqual({ resourceVersion: String(rest.context.store.resourceVersion) });
	});
});
