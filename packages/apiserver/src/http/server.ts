import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@tapestry/base';
import { followConnections } from '@tapestry/host';
import type { Credentials } from '../tls/credentials.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Clients keep connections for minutes; whoever closes an idle one first can break the other's next request. */
const keepAlive = 600_000;
const closeTimeout = 1000;

/** What cuts all connections of a server. */
const cuts = new WeakMap<Server, () => void>();

function create(credentials: Credentials, handler: Handler): Server {
	const { certificate: cert, key } = credentials;
	// Probed, so that a watch whose client vanished with its network does not stay for ever.
	const probing = { keepAlive: true, keepAliveInitialDelay: 30_000 };
	const server = createServer({ cert, key, minVersion: 'TLSv1.2', keepAliveTimeout: keepAlive, ...probing }, handler);
	// A broken handshake is the client's affair.
	server.on('tlsClientError', (_error, socket) => socket.destroy());
	cuts.set(server, followConnections(server));
	return server;
}

export async function listenTcp(
	credentials: Credentials,
	handler: Handler,
	{ host, port }: { readonly host: string; readonly port: number },
): Promise<{ server: Server; port: number }> {
	const server = create(credentials, handler);
	server.listen(port, host);
	await once(server, 'listening');
	return { server, port: (server.address() as AddressInfo).port };
}

/** A socket that a killed server left behind is replaced. */
export async function listenUnix(credentials: Credentials, handler: Handler, path: string): Promise<Server> {
	const server = create(credentials, handler);
	try {
		unlinkSync(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
	server.listen(path);
	await once(server, 'listening');
	return server;
}

/** Lets answers that have begun come to their end; clients that do not take theirs in time are cut off. */
export function closeServer(server: Server, clock: Clock): Promise<void> {
	return new Promise((resolve) => {
		const cancel = clock.after(closeTimeout, () => cuts.get(server)?.());
		server.close(() => {
			cancel();
			resolve();
		});
	});
}
