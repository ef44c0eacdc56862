import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

function later(latencyMs: () => number): Transform {
	return new Transform({
		transform(chunk, _encoding, pass) {
			const latency = latencyMs();
			if (latency === 0) pass(null, chunk);
			else setTimeout(pass, latency, null, chunk);
		},
	});
}

export interface OvsdbProxy extends AsyncDisposable {
	/** `unix:PATH`. */
	readonly endpoint: string;
	/** Ends all connections and accepts no more. */
	cut(): Promise<void>;
	/** Accepts connections again. */
	mend(): Promise<void>;
}

/**
 * A unix socket at `path` in front of the one at `target`, to part a client from its server.
 * @param latencyMs by which what the server says comes later, asked for each piece @default 0
 */
export async function startProxy(path: string, target: string, latencyMs: () => number = () => 0): Promise<OvsdbProxy> {
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
			client.pipe(upstream);
			upstream.pipe(later(latencyMs)).pipe(client);
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
