import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { silentLogger } from '@tapestry/base';
import type { EndpointSlice, Service, ServiceSpec } from '@tapestry/kube';
import { expect, it } from 'vitest';
import { HealthChecks, healthChecks } from './health-checks.ts';

const service = (spec: ServiceSpec): Service => ({
	metadata: { namespace: 'shop', name: 'web' },
	spec: { ports: [{ port: 80 }], ...spec },
});
const asked = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30900 } as const;
const slice = (addressType: 'IPv4' | 'IPv6', ...endpoints: readonly [address: string, node: string][]): EndpointSlice => ({
	metadata: { namespace: 'shop', name: addressType, labels: { 'kubernetes.io/service-name': 'web' } },
	addressType,
	endpoints: endpoints.map(([address, nodeName]) => ({ addresses: [address], nodeName })),
	ports: [{ port: 8080 }],
});

it('counts the endpoints of the node, each once', () => {
	const slices = [slice('IPv4', ['10.16.0.2', 'n1'], ['10.16.0.3', 'n2']), slice('IPv6', ['fd00::2', 'n1'], ['fd00::3', 'n2'])];
	expect(healthChecks([service(asked)], slices, 'n1')).toEqual([{ port: 30900, namespace: 'shop', name: 'web', endpoints: 1 }]);
	expect(healthChecks([service(asked)], slices, 'n3')).toMatchObject([{ endpoints: 0 }]);
	expect(
		healthChecks([service({ ...asked, externalTrafficPolicy: 'Cluster' }), service({ ...asked, type: 'NodePort' })], slices, 'n1'),
	).toEqual([]);
});

/** One that nobody on the machine has just now. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0);
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

it('answers while it is asked to, and says whether there are endpoints', async () => {
	const port = await freePort();
	const check = { port, namespace: 'shop', name: 'web' };
	await using checks = new HealthChecks({ log: silentLogger });
	const ask = async () => {
		const answer = await fetch(`http://127.0.0.1:${port}/`);
		return [answer.status, await answer.json()];
	};
	const body = (localEndpoints: number) => ({ service: { namespace: 'shop', name: 'web' }, localEndpoints, serviceProxyHealthy: true });
	checks.set([{ ...check, endpoints: 2 }]);
	expect(await ask()).toEqual([200, body(2)]);
	checks.set([{ ...check, endpoints: 0 }]);
	expect(await ask()).toEqual([503, body(0)]);
	checks.set([]);
	await expect(ask()).rejects.toThrow('fetch failed');
});
