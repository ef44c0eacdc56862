import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Proxy extends AsyncDisposable {
	/** `unix:PATH`. */
	readonly endpoint: string;
	/** Ends all connections and accepts no more. */
	cut(): Promise<void>;
	/** Accepts connections again. */
	mend(): Promise<void>;
}

/** A unix socket at `path` in front of the one at `target`, to part a client from its server. */
export async function startProxy(path: string, target: string): Promise<Proxy> {
	const sockets = new Set<Socket>();
	let server: Server | undefined;
	const mend = async (): Promise<void> => {
		server = createServer((client) => {
			const upstream = connect(target);
			for (const socket of [client, upstream]) {
				sockets.add(socket);
				socket.on('error', () => {});
				socket.on('close', () => {
					sockets.delete(socket);
					client.destroy();
					upstream.destroy();
				});
			}
			client.pipe(upstream).pipe(client);
		}).listen(path);
		await once(server, 'listening');
	};
	const cut = async (): Promise<void> => {
		const closed = server && once(server, 'close');
		server?.close();
		for (const socket of sockets) socket.destroy();
		await closed;
		server = undefined;
		await rm(path, { force: true });
	};
	await mend();
	return { endpoint: `unix:${path}`, cut, mend, [Symbol.asyncDispose]: cut };
}
