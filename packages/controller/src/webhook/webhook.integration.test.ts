import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { silentLogger } from '@tapestry/base';
import { type Subnet, subnetResource } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../testing/cluster.ts';
import { insistOnWebhooks, registeredWebhooks } from '../testing/webhooks.ts';
import { startWebhookServer } from './server.ts';

const subnet = (name: string, cidrBlock: string): Subnet => ({
	apiVersion: 'kubeovn.io/v1',
	kind: 'Subnet',
	metadata: { name },
	spec: { cidrBlock },
});

describe('the controller', () => {
	let cluster: TestCluster;
	beforeAll(async () => {
		cluster = await TestCluster.start();
	});
	afterAll(() => cluster[Symbol.asyncDispose]());

	const validated = (name: string, status: string): Promise<true> =>
		cluster.until(`subnet ${name} to be looked at`, () => {
			const conditions = cluster.sources.subnets.objects.get(name)?.status?.conditions ?? [];
			return conditions.some((condition) => condition.type === 'Validated' && condition.status === status);
		});

	it('refuses at admission what it would only tell of later, and tells of it later when it was not there', async () => {
		const first = await cluster.startController('a', '--webhook', '127.0.0.1:0');
		const before = await registeredWebhooks(cluster.client);
		const relent = await insistOnWebhooks(cluster.client);
		await cluster.client.create(subnetResource, subnet('one', '10.1.0.0/16'));
		await validated('one', 'True');
		const overlapping = cluster.client.create(subnetResource, subnet('two', '10.1.1.0/24'));
		await expect(overlapping).rejects.toThrow(/"validate.tapestry.io" denied the request: 10.1.1.0\/24 cannot be used in VPC ovn-cluster/);
		await relent();
		await first.kill('SIGKILL');
		await cluster.client.create(subnetResource, subnet('two', '10.1.1.0/24'));
		await cluster.startController('a', '--webhook', '127.0.0.1:0');
		await registeredWebhooks(cluster.client, before);
		await insistOnWebhooks(cluster.client);
		await validated('two', 'False');
		await expect(cluster.client.create(subnetResource, subnet('three', '10.1.2.0/24'))).rejects.toThrow('denied the request');
	});
});

describe('the webhook server', () => {
	const send = (server: { url: string; caBundle: string }, path: string, body: string, method = 'POST') =>
		new Promise<{ status: number; text: string }>((resolve, reject) => {
			const ca = Buffer.from(server.caBundle, 'base64');
			const made = request(new URL(path, server.url), { method, ca, agent: false }, async (response) => {
				let text = '';
				for await (const chunk of response) text += chunk;
				resolve({ status: response.statusCode ?? 0, text });
			});
			made.once('error', reject);
			made.end(body);
		});

	it('answers what it understands and survives the rest', async () => {
		const reviews = { '/yes': () => ({ allowed: true }) };
		await using server = await startWebhookServer({ log: silentLogger, now: Date.now }, { host: '127.0.0.1', port: 0, reviews });
		const review = (question: object) => JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: question });
		expect((await send(server, '/no', '{}')).status).toBe(404);
		expect((await send(server, '/yes', '', 'PUT')).status).toBe(405);
		for (const body of ['', '[]', 'null', '{}', review({}), review({ uid: 1, resource: {} })]) {
			expect((await send(server, '/yes', body)).status).toBe(400);
		}
		const { status, text } = await send(server, '/yes', review({ uid: 'u', resource: {} }));
		expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 200, response: { uid: 'u', allowed: true } });
	});

	it('ends although a client is in the middle of its handshake', async () => {
		const server = await startWebhookServer({ log: silentLogger, now: Date.now }, { host: '127.0.0.1', port: 0, reviews: {} });
		const silent = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
		const ended = once(silent.resume(), 'close');
		await once(silent, 'connect');
		await server[Symbol.asyncDispose]();
		await ended;
	});

	it('takes no more than it can hold', async () => {
		await using server = await startWebhookServer(
			{ log: silentLogger, now: Date.now },
			{ host: '127.0.0.1', port: 0, reviews: { '/': () => ({ allowed: true }) } },
		);
		expect((await send(server, '/', 'x'.repeat((8 << 20) + 1)).catch(() => ({ status: 400 }))).status).toBe(400);
	});
});
