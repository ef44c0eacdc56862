import type { Server, Socket } from 'node:net';

/**
 * Follows the connections of a server from before it listens; the function that is returned cuts all of them. HTTPS knows nothing of a client that is in the
 * middle of its handshake: such a one keeps a server that is closing open for as long as it likes, or for the handshake's two minutes.
 */
export function followConnections(server: Server): () => void {
	const open = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		open.add(socket);
		socket.once('close', () => open.delete(socket));
	});
	return () => {
		for (const socket of open) socket.destroy();
	};
}
