import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import {
	createKubeClient,
	createReflector,
	type EndpointSlice,
	endpointSlices,
	type KubeConnection,
	type Pod,
	pods,
	type Reflector,
	type Service,
	services,
} from '@tapestry/kube';
import { afterAll, beforeAll, it } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../../../apiserver/src/testing/server.ts';
import { changesOf, until } from '../../../base/src/testing/until.ts';
import { runControllerManager } from './controller-manager.ts';

const deps = { clock: systemClock, random: Math.random, log: silentLogger };
const namespace = 'default';
const abort = new AbortController();
let server: TestApiServer;
let client: KubeConnection;
let ended: Promise<void>;
let slices: Reflector<EndpointSlice>;

beforeAll(async () => {
	server = await startTestApiServer();
	client = createKubeClient(deps, { kubeconfig: server.kubeconfig });
	const ready = Promise.withResolvers<void>();
	ended = runControllerManager({ ...deps, client }, abort.signal, ready.resolve);
	await ready.promise;
	slices = createReflector<EndpointSlice>({ ...deps, client }, { resource: endpointSlices, namespace });
	await slices.synced();
});
afterAll(async () => {
	abort.abort();
	await ended;
	await slices.close();
	client.close();
	await server.close();
});

async function addPod(name: string, ip: string, ready: boolean): Promise<void> {
	const containers = [{ name: 'main', image: 'none', ports: [{ name: 'http', containerPort: 8080 }] }];
	const pod = await client.create<Pod>(pods, {
		metadata: { name, namespace, labels: { app: 'web' } },
		spec: { nodeName: 'n1', containers },
	});
	const conditions = [{ type: 'Ready', status: ready ? ('True' as const) : ('False' as const) }];
	await client.replace<Pod>(
		pods,
		{ ...pod, status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } },
		{ subresource: 'status' },
	);
}

/** Waits until the service's slices show these endpoints: `address:port`, with `!` where one is not ready. */
function shows(service: string, expected: readonly string[]): Promise<true> {
	const own = () => [...slices.objects.values()].filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service);
	const shown = () =>
		own().flatMap(({ endpoints = [], ports = [] }) =>
			endpoints.map(({ addresses, conditions }) => `${conditions?.ready ? '' : '!'}${addresses[0]}:${ports[0]?.port}`),
		);
	const wanted = JSON.stringify(expected);
	const now = () => JSON.stringify(shown().sort());
	return until(
		() => `${service} to show ${wanted}, not ${now()}`,
		changesOf(slices),
		() => now() === wanted,
	);
}

it('follows pods and services from their making to their end', async () => {
	await addPod('a', '10.16.0.2', true);
	const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] };
	const service = await client.create<Service>(services, { metadata: { name: 'web', namespace }, spec });
	await shows('web', ['10.16.0.2:8080']);
	await addPod('b', '10.16.0.3', false);
	await shows('web', ['!10.16.0.3:8080', '10.16.0.2:8080']);
	await client.remove(pods, { name: 'a', namespace }, { gracePeriodSeconds: 0 });
	await shows('web', ['!10.16.0.3:8080']);
	await client.patch(services, service.metadata, 'application/merge-patch+json', { spec: { publishNotReadyAddresses: true } });
	await shows('web', ['10.16.0.3:8080']);
	await client.remove(services, service.metadata);
	await shows('web', []);
});

it('leaves slices alone that others make', async () => {
	const metadata = { name: 'outside', namespace };
	await client.create<Service>(services, { metadata, spec: { ports: [{ port: 80 }] } });
	const labels = { 'kubernetes.io/service-name': 'outside' };
	await client.create<EndpointSlice>(endpointSlices, {
		metadata: { ...metadata, labels },
		addressType: 'IPv4',
		endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
		ports: [{ name: '', port: 9000 }],
	});
	await client.create<Service>(services, {
		metadata: { name: 'after', namespace },
		spec: { selector: { app: 'web' }, ports: [{ port: 81 }], publishNotReadyAddresses: true },
	});
	await shows('after', ['10.16.0.3:81']);
	await shows('outside', ['192.0.2.1:9000']);
});
