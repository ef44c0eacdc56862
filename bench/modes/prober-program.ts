import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { parseIp } from '@tapestry/base';
import { socketAddress } from '../../packages/linux/src/socket-address.ts';
import * as sys from '../../packages/linux/src/sys.ts';
import type { Answer, Question } from './prober.ts';

/*
 * Asks from the namespace that it was started in. Each line of standard input is a Question, each line of standard output its Answer. Latency is
 * measured with sockets that block this thread: an event loop would add more than the differences that are looked for.
 */

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const patienceMs = 1000;
/** Streams stay open from one question to the next: the peers that a guest has take a moment to listen again. */
const streams = new Map<string, number>();

for await (const line of createInterface(process.stdin)) {
	const question = JSON.parse(line) as Question;
	process.stdout.write(`${JSON.stringify(await answer(question))}\n`);
}

async function answer(question: Question): Promise<Answer> {
	try {
		return question.kind === 'throughput' ? await stream(question) : pingPong(question);
	} catch (error) {
		return { microseconds: [], lost: 0, failure: String(error) };
	}
}

function pingPong(question: Extract<Question, { kind: 'tcp' | 'udp' }>): Answer {
	const { kind, address, port, size, count } = question;
	if (kind === 'udp') {
		const fd = open(question);
		try {
			return exchange(fd, size, count, false);
		} finally {
			closeSync(fd);
		}
	}
	const key = `${address} ${port}`;
	const fd = streams.get(key) ?? open(question);
	try {
		const answer = exchange(fd, size, count, true);
		streams.set(key, fd);
		return answer;
	} catch (error) {
		streams.delete(key);
		closeSync(fd);
		throw error;
	}
}

function open({ kind, address, port, sourcePort }: Extract<Question, { kind: 'tcp' | 'udp' }>): number {
	const ip = parseIp(address);
	const any = parseIp(ip?.family === 6 ? '::' : '0.0.0.0');
	if (!ip || !any) throw new Error(`${address} is no address`);
	const fd = sys.socket(ip.family === 4 ? sys.AF_INET : sys.AF_INET6, kind === 'tcp' ? sys.SOCK_STREAM : sys.SOCK_DGRAM);
	try {
		sys.setReceiveTimeout(fd, patienceMs);
		if (kind === 'tcp') sys.setSocketOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		if (sourcePort !== undefined) sys.bind(fd, socketAddress(any, sourcePort), 'the source port');
		sys.connect(fd, socketAddress(ip, port), address);
		return fd;
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}

function exchange(fd: number, size: number, count: number, isStream: boolean): Answer {
	const message = Buffer.alloc(size);
	const into = Buffer.alloc(Math.max(size, 65_536));
	const microseconds: number[] = [];
	let lost = 0;
	for (let turn = 1; turn <= count; turn++) {
		message.writeUInt32BE(turn);
		const start = process.hrtime.bigint();
		sys.send(fd, message);
		if (isStream ? readAll(fd, into, size) : readTurn(fd, into, size, turn)) {
			microseconds.push(Number(process.hrtime.bigint() - start) / 1000);
		} else {
			if (isStream) throw new Error('the stream stood still');
			if (++lost > 3) throw new Error('no datagram comes back');
		}
	}
	return { microseconds, lost };
}

function readAll(fd: number, into: Buffer, size: number): boolean {
	for (let left = size; left > 0; ) {
		const count = sys.receiveWaiting(fd, into);
		if (count <= 0) return false;
		left -= count;
	}
	return true;
}

/** Late answers to earlier turns are passed over. */
function readTurn(fd: number, into: Buffer, size: number, turn: number): boolean {
	for (;;) {
		const count = sys.receiveWaiting(fd, into);
		if (count < 0) return false;
		if (count === size && into.readUInt32BE() === turn) return true;
	}
}

/** Sends until the time is over and waits for the other end to have read all: it closes then. */
async function stream({ address, port, milliseconds }: Extract<Question, { kind: 'throughput' }>): Promise<Answer> {
	const socket = connect({ host: address, port, signal: AbortSignal.timeout(milliseconds * 4 + 5000) });
	await once(socket, 'connect');
	socket.resume();
	const ended = once(socket, 'close');
	const block = Buffer.alloc(65_536);
	const start = performance.now();
	let sent = 0;
	while (performance.now() - start < milliseconds) {
		sent += block.length;
		if (!socket.write(block)) await Promise.race([once(socket, 'drain'), ended]);
	}
	socket.end();
	await ended;
	return { microseconds: [], lost: 0, megabytesPerSecond: sent / 1e6 / ((performance.now() - start) / 1000) };
}
