import { createSocket } from 'node:dgram';

/**
 * `ask-program.ts ADDRESS PORT TEXT MS`: sends a datagram and prints the answer. Asks again, as whoever speaks UDP has to, and gives up after MS.
 */
const [address = '', port = '', text = '', patience = ''] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const ask = (): void => socket.send(text, Number(port), address);
socket.on('message', (answer) => {
	process.stdout.write(`${answer}\n`);
	process.exit(0);
});
// "Port unreachable" is an answer too, but not the one that is waited for.
socket.on('error', () => {});
ask();
setInterval(ask, 300);
setTimeout(() => process.exit(1), Number(patience));
