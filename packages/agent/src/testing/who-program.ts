import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/*
 * Tells who answers and whom he sees. `who-program.ts serve NAME ADDRESS PORT` prints "up" and answers each line over TCP and each datagram over UDP
 * with "NAME PEER-ADDRESS"; `who-program.ts ask tcp|udp ADDRESS PORT` connects, prints "connected" and, for each line of its standard input, the
 * answer. It ends with "refused" when nobody listens.
 */

const patience = 5000;
const socketType = (address: string) => (address.includes(':') ? 'udp6' : 'udp4');
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function serve(name: string, address: string, port: number): Promise<void> {
	const streams = createServer((peer) => {
		peer.on('error', () => peer.destroy());
		createInterface(peer).on('line', () => void peer.write(`${name} ${peer.remoteAddress}\n`));
	});
	const datagrams = createSocket(socketType(address));
	datagrams.on('message', (_, peer) => datagrams.send(`${name} ${peer.address}\n`, peer.port, peer.address));
	streams.listen(port, address);
	datagrams.bind(port, address);
	await Promise.all([once(streams, 'listening'), once(datagrams, 'listening')]);
	print('up');
}

/** Sends one line and resolves with the answer. */
type Question = (line: string) => Promise<string>;

async function overTcp(host: string, port: number): Promise<Question> {
	const peer = connect({ host, port });
	await once(peer, 'connect', { signal: AbortSignal.timeout(patience) });
	const answers = createInterface(peer);
	return async (line) => {
		const answer = once(answers, 'line', { signal: AbortSignal.timeout(patience) });
		peer.write(`${line}\n`);
		return String((await answer)[0]);
	};
}

async function overUdp(host: string, port: number): Promise<Question> {
	const peer = createSocket(socketType(host));
	peer.connect(port, host);
	await once(peer, 'connect');
	return async (line) => {
		// Rejects with the refusal that ICMP brings.
		const answer = once(peer, 'message', { signal: AbortSignal.timeout(patience) });
		peer.send(`${line}\n`);
		return String((await answer)[0]).trim();
	};
}

async function ask(protocol: string, address: string, port: number): Promise<void> {
	try {
		const question = await (protocol === 'tcp' ? overTcp : overUdp)(address, port);
		print('connected');
		for await (const line of createInterface(process.stdin)) print(await question(line));
	} catch (error) {
		// A datagram that is rejected before it leaves its host is EPERM to the sender.
		if (!['ECONNREFUSED', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
		print('refused');
	}
}

const [role, first = '', second = '', third = ''] = process.argv.slice(2);
if (role === 'serve') {
	await serve(first, second, Number(third));
} else {
	await ask(first, second, Number(third));
	// The connection would keep it alive.
	process.exit();
}
