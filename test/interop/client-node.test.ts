import {
	ApiException,
	CoreV1Api,
	CustomObjectsApi,
	KubeConfig,
	makeInformer,
	PatchStrategy,
	setHeaderOptions,
	Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../../packages/apiserver/src/testing/server.ts';

const definition = {
	apiVersion: 'apiextensions.k8s.io/v1',
	kind: 'CustomResourceDefinition',
	metadata: { name: 'widgets.example.com' },
	spec: {
		group: 'example.com',
		scope: 'Namespaced',
		names: { plural: 'widgets', kind: 'Widget' },
		versions: [
			{
				name: 'v1',
				served: true,
				storage: true,
				schema: {
					openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
				},
			},
		],
	},
};

describe('@kubernetes/client-node, unchanged', () => {
	let server: TestApiServer;
	const config = new KubeConfig();
	beforeAll(async () => {
		server = await startTestApiServer();
		config.loadFromFile(server.kubeconfig);
	});
	afterAll(() => server.close());

	it('creates, reads, replaces, patches, lists and deletes with the typed API', async () => {
		const core = config.makeApiClient(CoreV1Api);
		const namespace = 'default';
		const pod = await core.createNamespacedPod({
			namespace,
			body: { metadata: { name: 'web', labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'example/main:1' }] } },
		});
		expect(pod.metadata?.creationTimestamp).toBeInstanceOf(Date);
		expect(pod.status?.phase).toBe('Pending');
		const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
		const patched = await core.patchNamespacedPod({ namespace, name: 'web', body: { metadata: { labels: { tier: 'front' } } } }, merge);
		expect(patched.metadata?.labels).toEqual({ app: 'web', tier: 'front' });
		await expect(core.replaceNamespacedPod({ namespace, name: 'web', body: pod })).rejects.toMatchObject({ code: 409 });
		const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'tier=front', limit: 1 });
		expect(items.map((item) => item.metadata?.name)).toEqual(['web']);
		await core.deleteNamespacedPod({ namespace, name: 'web' });
		const missing = await core.readNamespacedPod({ namespace, name: 'web' }).catch((error: unknown) => error);
		expect(missing).toBeInstanceOf(ApiException);
		expect(missing).toMatchObject({ code: 404 });
	});

	it('works on custom objects as soon as their definition is created', async () => {
		const custom = config.makeApiClient(CustomObjectsApi);
		await custom.createClusterCustomObject({
			group: 'apiextensions.k8s.io',
			version: 'v1',
			plural: 'customresourcedefinitions',
			body: definition,
		});
		const widgets = { group: 'example.com', version: 'v1', namespace: 'default', plural: 'widgets' };
		const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'one' }, spec: { size: 1 } };
		await custom.createNamespacedCustomObject({ ...widgets, body });
		expect(await custom.getNamespacedCustomObject({ ...widgets, name: 'one' })).toMatchObject(body);
		const wrong = custom.createNamespacedCustomObject({ ...widgets, body: { ...body, metadata: { name: 'two' }, spec: { size: 'big' } } });
		await expect(wrong).rejects.toMatchObject({ code: 422 });
		await custom.deleteNamespacedCustomObject({ ...widgets, name: 'one' });
		expect(await custom.listNamespacedCustomObject(widgets)).toMatchObject({ items: [] });
	});

	it('watches', async () => {
		const core = config.makeApiClient(CoreV1Api);
		const seen: string[] = [];
		const { metadata } = await core.listNamespacedConfigMap({ namespace: 'default' });
		const ended = Promise.withResolvers<void>();
		const query = { resourceVersion: metadata?.resourceVersion, fieldSelector: 'metadata.name=watched' };
		const controller = await new Watch(config).watch(
			'/api/v1/namespaces/default/configmaps',
			query,
			(phase: string) => {
				seen.push(phase);
				if (phase === 'DELETED') ended.resolve();
			},
			() => {},
		);
		await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'watched' } } });
		await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'unwatched' } } });
		await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'watched' });
		await ended.promise;
		controller.abort();
		expect(seen).toEqual(['ADDED', 'DELETED']);
	});

	it('is told when it resumes a watch from a version that is forgotten', async () => {
		const ended = Promise.withResolvers<{ phase: string; code: number }>();
		const query = { resourceVersion: '999999' };
		await new Watch(config).watch(
			'/api/v1/configmaps',
			query,
			(phase: string, object: { code: number }) => ended.resolve({ phase, code: object.code }),
			() => {},
		);
		expect(await ended.promise).toEqual({ phase: 'ERROR', code: 410 });
	});

	it('keeps an informer in step', async () => {
		const core = config.makeApiClient(CoreV1Api);
		await core.createNamespacedSecret({ namespace: 'default', body: { metadata: { name: 'early' } } });
		const informer = makeInformer(config, '/api/v1/namespaces/default/secrets', () => core.listNamespacedSecret({ namespace: 'default' }));
		const events: string[] = [];
		const ended = Promise.withResolvers<void>();
		for (const event of ['add', 'update', 'delete'] as const) {
			informer.on(event, (secret) => {
				events.push(`${event} ${secret.metadata?.name}`);
				if (event === 'delete') ended.resolve();
			});
		}
		await informer.start();
		await core.createNamespacedSecret({ namespace: 'default', body: { metadata: { name: 'late' } } });
		const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
		await core.patchNamespacedSecret({ namespace: 'default', name: 'late', body: { stringData: { a: 'b' } } }, merge);
		await core.deleteNamespacedSecret({ namespace: 'default', name: 'late' });
		await ended.promise;
		await informer.stop();
		expect(events).toEqual(['add early', 'add late', 'update late', 'delete late']);
	});
});
