import { type Signal, silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../../apiserver/src/testing/server.ts';
import { until as awaited, changesOf } from '../../base/src/testing/until.ts';
import { createKubeClient, type KubeConnection } from './client.ts';
import { crdsEstablished } from './crds.ts';
import { createEventRecorder } from './event-recorder.ts';
import { createLeaderElector } from './leader.ts';
import { createReflector } from './reflector.ts';
import { configMaps, customResourceDefinitions, events, leases } from './resources.ts';
import type { KubeClient, KubeObject, Reflector, Resource } from './types.ts';

type ConfigMap = KubeObject & { readonly data?: Readonly<Record<string, string>> };

const clock = systemClock;
const random = Math.random;
const namespace = 'default';
let server: TestApiServer;
let client: KubeConnection;
const deps = () => ({ client, clock, random, log: silentLogger });

beforeAll(async () => {
	server = await startTestApiServer();
	client = createKubeClient({ clock, random }, { kubeconfig: server.kubeconfig });
});
afterAll(async () => {
	client.close();
	await server.close();
});

const put = (name: string, data: Record<string, string> = {}) =>
	client.create<ConfigMap>(configMaps, { metadata: { name, namespace }, data });

const labelled = (name: string, test: string) => client.create<ConfigMap>(configMaps, { metadata: { name, namespace, labels: { test } } });
const itemsOf = async (test: string) =>
	(await client.list<ConfigMap>(configMaps, { namespace, labelSelector: `test=${test}` })).items.toSorted(
		(a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion),
	);

async function restart(): Promise<void> {
	await server.restart();
	// A request on a connection that the old server has closed would fail.
	client.close();
}

const until = (reflector: Reflector, condition: () => boolean): Promise<true> =>
	awaited(() => `${condition} of ${[...reflector.objects.keys()].join()}`, changesOf(reflector), condition);

describe('client against the API server', () => {
	it('makes, reads, changes, lists and removes', async () => {
		const made = await put('one', { a: '1' });
		expect(await client.get(configMaps, { name: 'one', namespace })).toEqual(made);
		const changed = await client.replace<ConfigMap>(configMaps, { ...made, data: { a: '2' } });
		await client.patch(configMaps, { name: 'one', namespace }, 'application/merge-patch+json', { data: { b: '3' } });
		const { items } = await client.list<ConfigMap>(configMaps, { namespace, fieldSelector: 'metadata.name=one' });
		expect(items.map(({ data }) => data)).toEqual([{ a: '2', b: '3' }]);
		await expect(client.replace(configMaps, changed)).rejects.toMatchObject({ code: 'KUBE_CONFLICT' });
		await expect(put('one')).rejects.toMatchObject({ code: 'KUBE_EXISTS' });
		await expect(put('Bad Name')).rejects.toMatchObject({ code: 'KUBE_INVALID' });
		await expect(client.remove(configMaps, { name: 'one', namespace }, { uid: 'other' })).rejects.toMatchObject({ code: 'KUBE_CONFLICT' });
		await client.remove(configMaps, { name: 'one', namespace });
		await expect(client.get(configMaps, { name: 'one', namespace })).rejects.toMatchObject({ code: 'KUBE_NOT_FOUND' });
	});

	it('speaks through a unix socket, still verifying the certificate', async () => {
		using local = createKubeClient({ clock, random }, { kubeconfig: server.kubeconfig, socketPath: server.unix });
		expect((await local.list(configMaps)).resourceVersion).not.toBe('');
		const config = { server: 'https://kubernetes', namespace, ca: '' };
		using stranger = createKubeClient({ clock, random }, { kubeconfig: config, socketPath: server.unix });
		await expect(stranger.list(configMaps)).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' });
	});
});

describe('reflector against the API server', () => {
	it('equals the collection again after a restart of the server in the middle', async () => {
		await using reflector = createReflector<ConfigMap>(deps(), { resource: configMaps, namespace, labelSelector: 'test=restart' });
		await reflector.synced();
		await labelled('before', 'restart');
		await until(reflector, () => reflector.objects.size === 1);
		await restart();
		await labelled('during', 'restart');
		await client.remove(configMaps, { name: 'before', namespace });
		await until(reflector, () => reflector.objects.has('default/during') && reflector.objects.size === 1);
		expect([...reflector.objects.values()]).toMatchObject(await itemsOf('restart'));
	});

	it('lists again when it was cut off for longer than the server remembers', async () => {
		let cut = false;
		let lists = 0;
		const cuttable = {
			list: (...args: Parameters<KubeClient['list']>) => {
				lists += 1;
				return client.list(...args);
			},
			watch: (...args: Parameters<KubeClient['watch']>) => (cut ? nothing() : client.watch(...args)),
		} as unknown as KubeClient;
		await using reflector = createReflector<ConfigMap>(
			{ ...deps(), client: cuttable },
			{ resource: configMaps, namespace, labelSelector: 'test=gone' },
		);
		await labelled('kept', 'gone');
		await labelled('removed', 'gone');
		await until(reflector, () => reflector.objects.size === 2);
		const changes: string[] = [];
		reflector.onChange(({ key, before, after }) => changes.push(`${before ? '-' : ''}${after ? '+' : ''} ${key}`));
		const seen = reflector.resourceVersion;
		cut = true;
		await restart();
		await client.remove(configMaps, { name: 'removed', namespace });
		await labelled('added', 'gone');
		await put('busy');
		await fillHistory('busy');
		await expect(drain(client.watch(configMaps, { resourceVersion: seen, namespace }))).rejects.toMatchObject({ code: 'KUBE_GONE' });
		cut = false;
		await until(reflector, () => reflector.objects.has('default/added'));
		expect(lists).toBe(2);
		expect(changes).toEqual(['- default/removed', '+ default/added']);
		expect([...reflector.objects.values()]).toMatchObject(await itemsOf('gone'));
	});

	it('waits for kinds to be served', async () => {
		const widgets: Resource = { group: 'test.tapestry.io', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };
		const established = crdsEstablished(deps(), ['widgets.test.tapestry.io'], new AbortController().signal);
		await client.create<KubeObject>(customResourceDefinitions, {
			metadata: { name: 'widgets.test.tapestry.io' },
			spec: {
				group: widgets.group,
				scope: 'Namespaced',
				names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
				versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
			},
		});
		await established;
		expect((await client.list(widgets)).items).toEqual([]);
	});
});

describe('leader election against the API server', () => {
	it('never has two leaders while leaders come and go and the server restarts', async () => {
		const times = { leaseMs: 1_000, renewMs: 700, retryMs: 200 };
		const wanted = 12;
		const terms: string[] = [];
		const leading = new Set<Signal>();
		let most = 0;
		const stop = new AbortController();
		const candidates = ['a', 'b'].map(async (identity) => {
			const elector = createLeaderElector(deps(), { name: 'test', namespace, identity, ...times });
			while (!stop.signal.aborted) {
				const term = new AbortController();
				await elector.run(AbortSignal.any([stop.signal, term.signal]), {
					onStarted: async (signal) => {
						leading.add(signal);
						// The server may be away for longer than a leader may go on without it: it is told to stop then.
						most = Math.max(most, [...leading].filter((one) => !one.aborted).length);
						terms.push(identity);
						if (terms.length === wanted / 2) await restart();
						// Who is quicker may be the same one many times.
						if (terms.length >= wanted && new Set(terms).size === 2) stop.abort();
						term.abort();
					},
				});
			}
		});
		await Promise.all(candidates);
		expect(most).toBe(1);
		expect(await client.get(leases, { name: 'test', namespace })).toMatchObject({ spec: { holderIdentity: '' } });
	});
});

describe('event recorder against the API server', () => {
	it('writes events that the server accepts and counts them', async () => {
		const object = await put('subject');
		const recorder = createEventRecorder(deps(), { component: 'test' });
		const text = { type: 'Warning', reason: 'Odd', message: 'x'.repeat(5_000) } as const;
		for (let i = 0; i < 3; i += 1) {
			recorder.record(configMaps, object, text);
			await recorder.flush();
		}
		const { items } = await client.list(events, { namespace, fieldSelector: `involvedObject.uid=${object.metadata.uid}` });
		expect(items).toMatchObject([{ count: 3, reason: 'Odd', involvedObject: { kind: 'ConfigMap', name: 'subject' } }]);
	});
});

async function drain(watch: AsyncIterable<unknown>): Promise<void> {
	for await (const _ of watch);
}

/** More changes than the server keeps for a resource. */
async function fillHistory(name: string): Promise<void> {
	for (let round = 0; round < 39; round += 1) {
		const patches = Array.from({ length: 80 }, (_, index) => ({ data: { value: `${round}.${index}` } }));
		await Promise.all(patches.map((patch) => client.patch(configMaps, { name, namespace }, 'application/merge-patch+json', patch)));
	}
}

async function* nothing(): AsyncGenerator<never> {}
