import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import type { HoldOptions, Wire } from '@tapestry/linux/testing';

/** The descriptor over which QEMU passes frames. */
const frameDescriptor = 3;

/**
 * A real QEMU at a tap with one queue, without a machine in it: its hub joins the tap to a socket, over which the test speaks in the guest's place. Many
 * queues need a guest that reads them.
 */
export async function holdTapByQemu(namespacePath: string, { name, queues }: HoldOptions): Promise<Wire> {
	if (queues !== 1) throw new Error('a hub has one queue');
	const machine = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'none', '-accel', 'tcg', '-runas', '107:107'];
	const backends = [
		...['-netdev', `tap,id=tap,ifname=${name},script=no,downscript=no,vnet_hdr=on`],
		...['-netdev', 'hubport,id=tap-port,hubid=0,netdev=tap'],
		...['-netdev', `socket,id=wire,fd=${frameDescriptor}`],
		...['-netdev', 'hubport,id=wire-port,hubid=0,netdev=wire'],
	];
	const qemu = spawn('nsenter', [`--net=${namespacePath}`, 'qemu-system-x86_64', ...machine, ...backends, '-qmp', 'stdio'], {
		// Node's pipes are pairs of connected stream sockets.
		stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
	});
	const exited = once(qemu, 'exit');
	const early = exited.then(([status]) => Promise.reject(new Error(`QEMU ended with ${status}`)));
	early.catch(() => {});
	// QMP's greeting: all that the command line asks for is open.
	await Promise.race([once(qemu.stdout as Socket, 'data'), early]);
	const openedAt = process.hrtime.bigint();
	const stream = qemu.stdio[frameDescriptor] as Socket;
	const frames = new EventEmitter<{ frame: [Buffer] }>();
	stream.on('error', () => {});
	readFrames(stream, (frame) => frames.emit('frame', frame));
	return {
		process: qemu,
		openedAt,
		send: (frame) => void stream.write(Buffer.concat([lengthOf(frame), frame])),
		receive: (matches) =>
			new Promise((resolve) => {
				const onFrame = (frame: Buffer): void => {
					if (!matches(frame)) return;
					frames.off('frame', onFrame);
					resolve(frame);
				};
				frames.on('frame', onFrame);
			}),
		async kill() {
			qemu.kill('SIGKILL');
			await exited;
		},
	};
}

/** QEMU's framing on a stream: the length in four bytes, network order (net/socket.c). */
function lengthOf(frame: Uint8Array): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(frame.length);
	return bytes;
}

function readFrames(stream: Socket, onFrame: (frame: Buffer) => void): void {
	let buffered = Buffer.alloc(0);
	stream.on('data', (chunk: Buffer) => {
		buffered = Buffer.concat([buffered, chunk]);
		while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32BE()) {
			const end = 4 + buffered.readUInt32BE();
			onFrame(buffered.subarray(4, end));
			buffered = buffered.subarray(end);
		}
	});
}
