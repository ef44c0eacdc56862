import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';

/*
 * A thread in the network namespace of a port (probe.ts). The receiver counts datagrams by port and sequence; the sender sends one to each port as
 * near to every millisecond as the machine lets it.
 */
const { role, address, ports } = workerData as {
	readonly role: 'send' | 'receive';
	readonly address: string;
	readonly ports: readonly number[];
};

if (role === 'receive') {
	const seen = new Map(ports.map((port) => [port, [] as number[]]));
	for (const port of ports) {
		const socket = createSocket('udp4');
		socket.on('message', (data) => seen.get(port)?.push(data.readUInt32BE(0)));
		socket.bind(port, () => parentPort?.postMessage('ready'));
	}
	parentPort?.on('message', () => parentPort?.postMessage(Object.fromEntries(seen)));
} else {
	const socket = createSocket('udp4');
	let sequence = 0;
	let isRunning = true;
	parentPort?.on('message', () => {
		isRunning = false;
	});
	const never = new Int32Array(new SharedArrayBuffer(4));
	const tick = (): void => {
		const data = Buffer.alloc(4);
		data.writeUInt32BE(sequence++);
		for (const port of ports) socket.send(data, port, address);
		// A timer is too coarse for a millisecond, and spinning would take a core from those who are measured.
		Atomics.wait(never, 0, 0, 1);
		if (isRunning) setImmediate(tick);
		else parentPort?.postMessage(sequence);
	};
	socket.bind(40_000, tick);
}
