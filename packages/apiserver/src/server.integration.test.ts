import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as secureConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRawClient, type RawClient } from './testing/client.ts';
import { startTestApiServer, type TestApiServer } from './testing/server.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

describe('the server', () => {
	let server: TestApiServer;
	let client: RawClient;
	beforeAll(async () => {
		server = await startTestApiServer({ execHint: 'use the other tool' });
		client = createRawClient(readFileSync(server.kubeconfig, 'utf8'));
	});
	afterAll(async () => {
		client[Symbol.dispose]();
		await server.close();
	});

	it('lets nobody in without the token, but tells probes how it is', async () => {
		for (const path of ['/healthz', '/livez', '/readyz', '/readyz/ping', '/version']) {
			expect((await client.send('GET', path, { anonymous: true })).status).toBe(200);
		}
		for (const path of ['/api', '/apis', '/api/v1/pods', '/openapi/v2', '/nothing']) {
			expect(await client.send('GET', path, { anonymous: true })).toMatchObject({
				status: 401,
				body: { kind: 'Status', reason: 'Unauthorized' },
			});
		}
		const wrong = { headers: { authorization: 'Bearer wrong' }, anonymous: true };
		expect((await client.send('GET', '/api', wrong)).status).toBe(401);
		expect(statSync(server.kubeconfig).mode & 0o777).toBe(0o600);
	});

	it('serves on its unix socket under the name kubernetes', async () => {
		expect(await client.send('GET', '/api/v1/namespaces/default', { socketPath: server.unix })).toMatchObject({
			status: 200,
			body: { kind: 'Namespace' },
		});
	});

	it.each([
		['GET', '/nothing', undefined, 404, 'NotFound'],
		['GET', `${configMaps}/none`, undefined, 404, 'NotFound'],
		['GET', `${configMaps}/none/scale`, undefined, 404, 'NotFound'],
		['POST', '/api/v1/configmaps', configMap('a'), 405, 'MethodNotAllowed'],
		['PUT', configMaps, configMap('a'), 405, 'MethodNotAllowed'],
		['POST', configMaps, '{"kind":', 400, 'BadRequest'],
		['POST', configMaps, '[]', 400, 'BadRequest'],
		['POST', configMaps, { ...configMap('a'), kind: 'Secret' }, 400, 'BadRequest'],
		['POST', configMaps, { ...configMap('a'), apiVersion: 'v2' }, 400, 'BadRequest'],
		['POST', configMaps, { metadata: { name: 7 } }, 400, 'BadRequest'],
		['POST', configMaps, { metadata: { name: 'a', labels: { b: 1 } } }, 400, 'BadRequest'],
		['POST', configMaps, { metadata: { name: 'a', namespace: 'other' } }, 400, 'BadRequest'],
		['POST', configMaps, {}, 422, 'Invalid'],
		['POST', `${configMaps}?dryRun=Some`, configMap('a'), 400, 'BadRequest'],
		['DELETE', `${configMaps}/none?propagationPolicy=Sideways`, undefined, 400, 'BadRequest'],
		['GET', `${configMaps}?labelSelector=a%20b`, undefined, 400, 'BadRequest'],
		['GET', `${configMaps}?resourceVersion=x`, undefined, 400, 'BadRequest'],
		['GET', `${configMaps}?continue=x`, undefined, 410, 'Expired'],
		['PUT', `${configMaps}/kube`, configMap('other'), 404, 'NotFound'],
	])('answers %s %s %j with %i %s', async (method, path, body, status, reason) => {
		expect(await client.send(method, path, { body })).toMatchObject({
			status,
			body: { kind: 'Status', status: 'Failure', reason, code: status },
		});
	});

	it('refuses media types that it does not read or write', async () => {
		const send = (headers: Record<string, string>, method = 'POST') =>
			client.send(method, configMaps, { body: configMap('typed'), headers });
		expect(await send({ 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
		expect(await send({ accept: 'application/vnd.kubernetes.protobuf' })).toMatchObject({ status: 406 });
		await client.send('POST', configMaps, { body: configMap('typed') });
		const apply = await client.send('PATCH', `${configMaps}/typed?fieldManager=a`, {
			body: {},
			headers: { 'content-type': 'application/apply-patch+yaml' },
		});
		expect(apply).toMatchObject({ status: 415, body: { message: expect.stringContaining('kubectl apply --server-side=false') } });
	});

	it('reads and writes YAML', async () => {
		const headers = { 'content-type': 'application/yaml', accept: 'application/yaml' };
		const answer = await client.send('POST', configMaps, { body: 'metadata:\n  name: yaml\ndata:\n  a: b\n', headers });
		expect(answer.status).toBe(201);
		expect(answer.text).toContain('data:\n  a: b\n');
	});

	it('refuses bodies beyond 3 MiB and goes on', async () => {
		const answer = await client
			.send('POST', configMaps, { body: configMap('huge', { a: 'x'.repeat(4 << 20) }) })
			.catch((error: Error) => error);
		// The answer may be lost when the connection closes on the rest of the body.
		if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 413 });
		expect((await client.send('GET', '/readyz')).status).toBe(200);
	});

	it('survives clients that speak no TLS, no HTTP, or leave in the middle', async () => {
		for (const text of ['hello\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']) {
			await new Promise<void>((resolve) => {
				const socket = connect(server.address.port, server.address.host, () => socket.write(text));
				socket.resume();
				socket.once('close', () => resolve());
				socket.once('error', () => resolve());
			});
		}
		const watching = await client.open('/api/v1/pods?watch=true');
		watching.destroy();
		expect((await client.send('GET', '/readyz')).status).toBe(200);
	});

	it('shows partial objects and tables of lists', async () => {
		const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
		const partial = await client.send('GET', '/api/v1/namespaces', { headers: { accept } });
		expect(partial.body).toMatchObject({
			kind: 'PartialObjectMetadataList',
			items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'default' } }, {}, {}, {}],
		});
		const table = await client.send('GET', '/api/v1/namespaces', {
			headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1beta1' },
		});
		expect(table.body).toMatchObject({
			kind: 'Table',
			apiVersion: 'meta.k8s.io/v1beta1',
			rows: [{ cells: ['default', 'Active', expect.any(String)] }, {}, {}, {}],
		});
	});

	it('lists what it serves, one by one and all at once', async () => {
		const { body } = await client.send('GET', '/apis/apps/v1');
		expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' });
		expect((await client.send('GET', '/apis')).body).toMatchObject({ kind: 'APIGroupList' });
		expect((await client.send('GET', '/apis/apps')).body).toMatchObject({
			kind: 'APIGroup',
			preferredVersion: { groupVersion: 'apps/v1' },
		});
		const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
		const answer = await client.send('GET', '/api', { headers: { accept: `${aggregated},application/json` } });
		expect(answer.headers['content-type']).toBe(aggregated);
		expect(answer.body).toMatchObject({ kind: 'APIGroupDiscoveryList', items: [{ versions: [{ version: 'v1' }] }] });
		expect((await client.send('GET', '/apis/none/v1')).status).toBe(404);
	});

	it('binds and evicts pods', async () => {
		const pods = '/api/v1/namespaces/default/pods';
		await client.send('POST', pods, { body: { metadata: { name: 'bound' }, spec: { containers: [{ name: 'main', image: 'x:1' }] } } });
		const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n1' } };
		expect((await client.send('POST', `${pods}/bound/binding`, { body: binding })).status).toBe(201);
		expect(await client.send('POST', `${pods}/bound/binding`, { body: binding })).toMatchObject({
			status: 409,
			body: { message: expect.stringContaining('already assigned to node "n1"') },
		});
		const pod = await client.send('GET', `${pods}/bound`);
		expect(pod.body).toMatchObject({ spec: { nodeName: 'n1' }, status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } });
		const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'bound' }, deleteOptions: { gracePeriodSeconds: 0 } };
		expect((await client.send('POST', `${pods}/bound/eviction`, { body: eviction })).status).toBe(201);
		expect((await client.send('GET', `${pods}/bound`)).status).toBe(404);
		expect((await client.send('GET', `${pods}/bound/log`)).status).toBe(404);
	});

	it('deletes collections by selector', async () => {
		for (const name of ['one', 'two']) await client.send('POST', configMaps, { body: { metadata: { name, labels: { group: 'gone' } } } });
		const answer = await client.send('DELETE', `${configMaps}?labelSelector=group%3Dgone`);
		expect(answer.body).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'one' } }, { metadata: { name: 'two' } }] });
	});

	it('warns of fields that a schema does not know, or refuses them', async () => {
		const versions = [
			{
				name: 'v1',
				served: true,
				storage: true,
				schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
			},
		];
		const names = { plural: 'widgets', kind: 'Widget' };
		const spec = { group: 'example.com', scope: 'Cluster', names, versions };
		const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
		const definition = {
			apiVersion: 'apiextensions.k8s.io/v1',
			kind: 'CustomResourceDefinition',
			metadata: { name: 'widgets.example.com' },
			spec,
		};
		expect((await client.send('POST', crds, { body: definition })).status).toBe(201);
		const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' }, spec: { odd: 1 } };
		const post = (query: string) => client.send('POST', `/apis/example.com/v1/widgets?${query}`, { body });
		expect(await post('fieldValidation=Strict')).toMatchObject({
			status: 400,
			body: { message: expect.stringContaining('unknown field "spec.odd"') },
		});
		const warned = await post('');
		expect(warned).toMatchObject({ status: 201, headers: { warning: '299 - "unknown field \\"spec.odd\\""' }, body: { spec: {} } });
	});

	it('publishes itself as the Service kubernetes', async () => {
		const ports = [{ name: 'https', port: server.address.port, protocol: 'TCP' }];
		expect((await client.send('GET', '/api/v1/namespaces/default/services/kubernetes')).body).toMatchObject({
			spec: { clusterIP: '10.96.0.1' },
		});
		expect((await client.send('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')).body).toMatchObject({
			ports,
		});
	});
});

it('ends although a client is in the middle of its handshake, and another of its request', async () => {
	await using server = await startTestApiServer();
	const { host, port } = server.address;
	const silent = connect(port, host);
	const slow = secureConnect({ host, port, rejectUnauthorized: false });
	slow.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
	const ended = Promise.all([silent, slow].map((socket) => once(socket.on('error', () => {}).resume(), 'close')));
	await Promise.all([once(silent, 'connect'), once(slow, 'secureConnect')]);
	await server.stop();
	await ended;
});

it('refuses a port that is taken', async () => {
	await using server = await startTestApiServer();
	await expect(startTestApiServer({ listen: server.address })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

describe('a restart', () => {
	it('keeps objects, keys and the place of watches', async () => {
		await using server = await startTestApiServer();
		const kubeconfig = readFileSync(server.kubeconfig, 'utf8');
		const before = createRawClient(kubeconfig);
		const created = await before.send('POST', configMaps, { body: configMap('kept', { a: 'b' }) });
		const { resourceVersion } = created.body.metadata as { resourceVersion: string };
		const watching = await before.open(`${configMaps}?watch=true&resourceVersion=${resourceVersion}`);
		const lines = createInterface({ input: watching })[Symbol.asyncIterator]();
		await before.send('POST', configMaps, { body: configMap('seen') });
		expect(JSON.parse((await lines.next()).value ?? '')).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'seen' } } });
		await server.restart();
		expect((await lines.next()).done).toBe(true);

		before[Symbol.dispose]();
		using after = createRawClient(kubeconfig);
		expect(readFileSync(server.kubeconfig, 'utf8')).toBe(kubeconfig);
		expect((await after.send('GET', `${configMaps}/kept`)).body).toMatchObject({ data: { a: 'b' }, metadata: { resourceVersion } });
		const resumed = await after.open(`${configMaps}?watch=true&resourceVersion=${resourceVersion}`);
		const again = createInterface({ input: resumed })[Symbol.asyncIterator]();
		expect(JSON.parse((await again.next()).value ?? '')).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'seen' } } });
		resumed.destroy();
	});
});
