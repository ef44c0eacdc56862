import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/*
 * One TCP conversation: `talk-program.ts serve ADDRESS` prints "up", answers one peer with what it sends and prints the peer's address;
 * `talk-program.ts call ADDRESS` sends more than a segment and prints "talked" when all of it came back.
 */

const port = 7;
const size = 5000;
const [role, host = ''] = process.argv.slice(2);

if (role === 'serve') {
	const server = createServer((peer) => {
		let left = size;
		peer.on('data', (data) => {
			peer.write(data);
			left -= data.length;
			if (left <= 0) process.stdout.write(`${peer.remoteAddress}\n`);
		});
	});
	server.listen(port, host, () => process.stdout.write('up\n'));
} else {
	const peer = connect({ port, host });
	await once(peer, 'connect');
	peer.write(Buffer.alloc(size, 'x'));
	let left = size;
	for await (const data of peer) {
		left -= (data as Buffer).length;
		if (left <= 0) break;
	}
	process.stdout.write(left <= 0 ? 'talked\n' : 'cut off\n');
}
