import { createServer, type Server } from 'node:http';
import type { Logger } from '@tapestry/base';
import { type EndpointSlice, keyOf, type Service } from '@tapestry/kube';
import { endpointSliceFacts, serviceEndpoints, serviceFacts } from '@tapestry/network';

/** What a load balancer before the nodes asks each of them: whether it leads to a service's endpoints. */
export interface HealthCheck {
	readonly port: number;
	readonly namespace: string;
	readonly name: string;
	/** Endpoints on this node. */
	readonly endpoints: number;
}

/** The health checks of Services that lead strangers to endpoints of the node only: `spec.healthCheckNodePort`. */
export function healthChecks(services: Iterable<Service>, slices: Iterable<EndpointSlice>, node: string): readonly HealthCheck[] {
	return [...services].flatMap((service) => {
		const { type, externalTrafficPolicy, healthCheckNodePort: port } = service.spec ?? {};
		if (type !== 'LoadBalancer' || externalTrafficPolicy !== 'Local' || !port) return [];
		const { namespace, name, ports, servesUnready } = serviceFacts(service);
		const own = [...slices].flatMap((slice) => endpointSliceFacts(slice) ?? []).filter((slice) => slice.service === keyOf(service));
		const found = ports.flatMap((one) => ([4, 6] as const).flatMap((family) => serviceEndpoints({ servesUnready }, one, family, own)));
		// A dual-stack endpoint has two addresses; the family with more is what counts.
		const here = new Set(found.filter((endpoint) => endpoint.node === node).map(({ address }) => address));
		const v6 = [...here].filter((address) => address.includes(':')).length;
		return [{ port, namespace, name, endpoints: Math.max(v6, here.size - v6) }];
	});
}

/** Answers health checks, in kube-proxy's form, at all addresses of the node. */
export class HealthChecks implements AsyncDisposable {
	readonly #log: Logger;
	readonly #servers = new Map<number, Server>();
	#checks: ReadonlyMap<number, HealthCheck> = new Map();

	constructor({ log }: { readonly log: Logger }) {
		this.#log = log;
	}

	/** From now on answers these and no others. */
	set(checks: readonly HealthCheck[]): void {
		this.#checks = new Map(checks.map((check) => [check.port, check]));
		for (const [port, server] of this.#servers) {
			if (this.#checks.has(port)) continue;
			this.#servers.delete(port);
			server.close();
			server.closeAllConnections();
		}
		for (const { port } of checks) if (!this.#servers.has(port)) this.#servers.set(port, this.#serve(port));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.set([]);
	}

	#serve(port: number): Server {
		const server = createServer((_, response) => {
			const { namespace = '', name = '', endpoints = 0 } = this.#checks.get(port) ?? {};
			response.writeHead(endpoints > 0 ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
			response.end(JSON.stringify({ service: { namespace, name }, localEndpoints: endpoints, serviceProxyHealthy: true }));
		});
		server.on('error', (error) => {
			// Something else on the node has the port; the next change tries again.
			this.#log.error('cannot answer health checks', { port, error });
			if (this.#servers.get(port) === server) this.#servers.delete(port);
		});
		server.listen(port);
		return server;
	}
}
