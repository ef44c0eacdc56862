import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * `blast-program.ts PORT COUNT BYTES ADDRESS...`: sends so many datagrams, to each of the addresses in turn, and takes no answers. There is a moment between
 * them, so that programs that hand them on can keep up.
 */
const [port = '', count = '', bytes = '', ...addresses] = process.argv.slice(2);
const data = Buffer.alloc(Number(bytes), 'x');
const sockets = addresses.map((address) => ({ address, socket: createSocket(address.includes(':') ? 'udp6' : 'udp4') }));
for (const { address, socket } of sockets) {
	// What cannot be delivered is counted elsewhere.
	socket.on('error', () => {});
	socket.connect(Number(port), address);
	await once(socket, 'connect');
}
for (let sent = 0; sent < Number(count); sent++) {
	const { socket } = sockets[sent % sockets.length]!;
	await new Promise((resolve) => socket.send(data, resolve));
	await new Promise((resolve) => setTimeout(resolve, 2));
}
process.exit(0);
