import { openSync, read, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { IFF_DETACH_QUEUE, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, TUNSETIFF, TUNSETQUEUE, tunRequest } from '../if-tun.ts';
import { getLink, openRoute } from '../link.ts';
import * as sys from '../sys.ts';

/*
 * Stands for a workload at its device: sends the frames that it reads from standard input and prints those that arrive, in hexadecimal, one a line.
 * `wire-program.ts tap NAME QUEUES on|off` opens a tap like a VMM; `wire-program.ts packet NAME` uses an interface beside its stack. Prints "open"
 * and the time (process.hrtime, which all processes share) first. Ends when it is killed or its input ends.
 */

/** What a workload reads and writes by; a tap has a header before each frame. */
interface Device {
	readonly descriptors: readonly number[];
	readonly header: number;
}

// linux/if_packet.h, linux/if_ether.h
const AF_PACKET = 17;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ETH_P_ALL = 3;
/** struct virtio_net_hdr. */
const vnetHeader = 10;

function openTap(name: string, count: number, state: string): Device {
	const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (count > 1 ? IFF_MULTI_QUEUE : 0);
	const descriptors = Array.from({ length: count }, () => {
		const fd = openSync('/dev/net/tun', 'r+');
		sys.ioctl(fd, TUNSETIFF, tunRequest(name, flags), 'open tap', name);
		return fd;
	});
	if (state === 'on') return { descriptors, header: vnetHeader };
	const [first = 0, ...others] = descriptors;
	for (const fd of others) sys.ioctl(fd, TUNSETQUEUE, tunRequest(name, IFF_DETACH_QUEUE), 'switch queue off', name);
	return { descriptors: [first], header: vnetHeader };
}

function openPacketSocket(name: string): Device {
	const fd = sys.socket(AF_PACKET, sys.SOCK_RAW);
	sys.setSocketOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	using route = openRoute();
	// struct sockaddr_ll, packet(7).
	const address = new DataView(new ArrayBuffer(20));
	address.setUint16(0, AF_PACKET, true);
	address.setUint16(2, ETH_P_ALL);
	address.setInt32(4, getLink(route, name).index, true);
	sys.bind(fd, new Uint8Array(address.buffer), name);
	return { descriptors: [fd], header: 0 };
}

/** A read waits in a thread of libuv's pool, which an orderly exit would wait for. */
const end = (): void => void process.kill(process.pid, 'SIGKILL');

function follow(fd: number, header: number): void {
	read(fd, Buffer.alloc(65_536), 0, 65_536, null, (error, count, data) => {
		// The device was deleted: nothing more to see.
		if (error) return;
		process.stdout.write(`${data.toString('hex', header, count)}\n`);
		follow(fd, header);
	});
}

function send({ descriptors: [fd = -1], header }: Device, frame: Buffer): void {
	try {
		writeSync(fd, Buffer.concat([Buffer.alloc(header), frame]));
	} catch {
		// A device that is down or gone loses what is sent, as a cable that was pulled out does.
	}
}

const [kind, name = '', queues, state = ''] = process.argv.slice(2);
const device = kind === 'tap' ? openTap(name, Number(queues), state) : openPacketSocket(name);
process.stdout.write(`open ${process.hrtime.bigint()}\n`);
for (const fd of device.descriptors) follow(fd, device.header);
createInterface(process.stdin)
	.on('line', (line) => send(device, Buffer.from(line, 'hex')))
	.on('close', end);
