import { randomUUID } from 'node:crypto';
import type { Server } from 'node:https';
import { join } from 'node:path';
import type { Cidr, Clock, Logger } from '@tapestry/base';
import type { HostPort } from '@tapestry/host';
import { followDefinitions, startDefinitions } from './controllers/definitions.ts';
import { startEventExpiry } from './controllers/event-expiry.ts';
import { startGarbageCollector } from './controllers/garbage.ts';
import { kubernetesAddress, publishKubernetesService } from './controllers/kubernetes-service.ts';
import { startNamespaces } from './controllers/namespaces.ts';
import { createHandler } from './http/handler.ts';
import { closeServer, listenTcp, listenUnix } from './http/server.ts';
import { createWatchers } from './http/watchers.ts';
import { builtinKinds } from './registry/builtin.ts';
import { Registry } from './registry/registry.ts';
import { createServiceAddresses } from './registry/service-addresses.ts';
import type { RestContext } from './rest/context.ts';
import { Store } from './storage/store.ts';
import { loadCredentials, writePrivate } from './tls/credentials.ts';
import { kubeconfigOf } from './tls/kubeconfig.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

export interface ApiServerDeps {
	readonly clock: Clock;
	readonly log: Logger;
	/** In [0, 1). */
	readonly random: () => number;
}

export interface ApiServerOptions {
	/** Directory of objects and keys; made when it is missing. */
	readonly data: string;
	/** Port 0 is any free one. */
	readonly listen: HostPort;
	/** Serves on this unix socket as well, with the same TLS. */
	readonly unix?: string;
	/** Receives the administrator's kubeconfig, mode 0600, once the server serves. */
	readonly kubeconfigOut?: string;
	/** Where the Service `kubernetes` leads. @default where the server listens */
	readonly advertise?: HostPort;
	/** At least one; the first one's family is the default of Services. */
	readonly serviceCidrs: readonly Cidr[];
	/** More names and addresses for the server's certificate. */
	readonly names?: readonly string[];
	/** What exec, attach, port-forward and logs are answered with. */
	readonly execHint?: string;
}

export interface ApiServer {
	readonly address: HostPort;
	/** The administrator's. */
	readonly kubeconfig: string;
	/** Ends all watches and connections. */
	close(): Promise<void>;
}

const serviceNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
const defaultExecHint = 'this server has no kubelets to reach containers through';

/** Starts the embedded Kubernetes API. Everybody who holds its token is an administrator: there is no authorization. */
export async function startApiServer(deps: ApiServerDeps, options: ApiServerOptions): Promise<ApiServer> {
	const { clock, log } = deps;
	const { listen, serviceCidrs } = options;
	const store = new Store({ log }, { directory: join(options.data, 'objects') });
	const registry = new Registry(builtinKinds);
	const rest: RestContext = { store, registry, services: createServiceAddresses(store, serviceCidrs), ...deps, uuid: randomUUID };
	const watchers = createWatchers(registry);
	const stopControllers = startControllers(deps, rest);
	const servers: Server[] = [];
	const close = async (): Promise<void> => {
		stopControllers();
		watchers.end();
		await Promise.all(servers.map((server) => closeServer(server, clock)));
		store.close();
	};
	try {
		const host = reachableHost(listen.host);
		const credentials = loadCredentials(join(options.data, 'pki'), certificateNames(options, host), clock.now());
		let address: HostPort = { host, port: listen.port };
		const handler = createHandler({
			rest,
			webhooks: createWebhooks({ store, clock, log, uuid: randomUUID }),
			registry,
			log,
			watch: { store, clock, encoder: watchers.encoder, register: watchers.register },
			token: credentials.token,
			execHint: options.execHint ?? defaultExecHint,
			address: () => formatAddress(address),
		});
		const tcp = await listenTcp(credentials, handler, listen);
		servers.push(tcp.server);
		address = { host, port: tcp.port };
		if (options.unix !== undefined) servers.push(await listenUnix(credentials, handler, options.unix));
		const [cidr] = serviceCidrs;
		if (cidr) publishKubernetesService(rest, cidr, options.advertise ?? address);
		const kubeconfig = kubeconfigOf(credentials, formatAddress(address));
		if (options.kubeconfigOut !== undefined) writePrivate(options.kubeconfigOut, kubeconfig);
		log.info('serving', { address: formatAddress(address), resourceVersion: store.resourceVersion });
		return { address, kubeconfig, close };
	} catch (error) {
		await close();
		throw error;
	}
}

function startControllers(deps: ApiServerDeps, rest: RestContext): () => void {
	const stops = [
		followDefinitions(rest),
		startNamespaces(deps, rest),
		startDefinitions(deps, rest),
		startGarbageCollector(deps, rest),
		startEventExpiry(deps, rest),
	];
	return () => {
		for (const stop of stops) stop();
	};
}

/** An address that clients on this machine reach the server at. */
function reachableHost(host: string): string {
	if (host === '0.0.0.0') return '127.0.0.1';
	return host === '::' ? '::1' : host;
}

function certificateNames({ serviceCidrs, advertise, names }: ApiServerOptions, host: string): readonly string[] {
	const advertised = advertise ? [advertise.host] : [];
	const all = [
		'127.0.0.1',
		'::1',
		'localhost',
		...serviceNames,
		...serviceCidrs.map(kubernetesAddress),
		host,
		...advertised,
		...(names ?? []),
	];
	return [...new Set(all)];
}

function formatAddress({ host, port }: HostPort): string {
	return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
