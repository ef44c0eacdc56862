import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { type Answer, outcomeOfPing, outcomeOfText, type ProbeRequest, type ServeRequest } from './answer.ts';

/*
 * Sends and answers in place of a workload. It is the program of a thread that was started inside the workload's network namespace (prober.ts), so
 * every socket it opens, and every process it starts, is there.
 */

type Message = { readonly id: number } & (ProbeRequest | ServeRequest);

/** Each answer tells who gives it and whom it sees, so that a test can tell balancers' and translators' work. */
const reply = (by: string, peer: string | undefined): string => `${JSON.stringify({ by, seen: peer?.replace('::ffff:', '') ?? '' })}\n`;

parentPort?.on('message', async (message: Message) => {
	try {
		parentPort?.postMessage({ id: message.id, answer: message.kind === 'serve' ? await serve(message) : await probe(message) });
	} catch (error) {
		parentPort?.postMessage({ id: message.id, error: String(error) });
	}
});

async function serve({ protocol, port, by, addresses }: ServeRequest): Promise<undefined> {
	if (protocol === 'udp') {
		await Promise.all((addresses ?? ['::']).map((address) => serveUdp(address, port, by)));
		return;
	}
	const server = createServer((peer) => {
		peer.on('error', () => peer.destroy());
		peer.once('data', () => peer.end(reply(by, peer.remoteAddress)));
	});
	server.listen(port, '::');
	try {
		await once(server, 'listening');
	} catch (error) {
		// The lab's own responder is there, and answers as well.
		if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
	}
}

async function serveUdp(address: string, port: number, by: string): Promise<void> {
	const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
	socket.on('message', (_, peer) => socket.send(reply(by, peer.address), peer.port, peer.address));
	socket.bind(port, address);
	await once(socket, 'listening');
}

function probe(request: ProbeRequest): Promise<Answer> {
	if (request.protocol === 'ping') return ping(request);
	return request.protocol === 'udp' ? udp(request) : tcp(request);
}

function tcp({ address, port, milliseconds }: ProbeRequest): Promise<Answer> {
	return new Promise((resolve) => {
		const socket = connect({ host: address, port });
		let text = '';
		const done = (answer: Answer): void => {
			clearTimeout(timer);
			socket.destroy();
			resolve(answer);
		};
		const timer = setTimeout(() => done({ outcome: 'silent', why: 'no answer in time' }), milliseconds);
		socket.on('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
		socket.on('data', (data) => {
			text += data;
			// An echo and our own answers are whole when the first line is; a page is when the server ends it.
			if (!text.startsWith('HTTP') && text.includes('\n')) done(outcomeOfText(text));
		});
		socket.on('end', () => done(text === '' ? { outcome: 'refused', why: 'closed without an answer' } : outcomeOfText(text)));
		socket.on('error', (error: NodeJS.ErrnoException) => done({ outcome: 'refused', why: error.code ?? error.message }));
	});
}

function udp({ address, port, milliseconds }: ProbeRequest): Promise<Answer> {
	return new Promise((resolve) => {
		const socket: Socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
		const done = (answer: Answer): void => {
			clearTimeout(timer);
			socket.removeAllListeners();
			socket.on('error', () => {});
			socket.close();
			resolve(answer);
		};
		const timer = setTimeout(() => done({ outcome: 'silent', why: 'no answer in time' }), milliseconds);
		socket.on('message', (data) => done(outcomeOfText(data.toString())));
		socket.on('error', (error: NodeJS.ErrnoException) => done({ outcome: 'refused', why: error.code ?? error.message }));
		// A connected socket hears of ICMP errors.
		socket.connect(port, address, () => socket.send('probe\n'));
	});
}

async function ping({ address, milliseconds }: ProbeRequest): Promise<Answer> {
	const family = address.includes(':') ? ['-6'] : [];
	const child = spawn('ping', [...family, '-n', '-c', '1', '-W', String(milliseconds / 1000), address], {
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let text = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
	await once(child, 'close');
	return outcomeOfPing(text);
}
