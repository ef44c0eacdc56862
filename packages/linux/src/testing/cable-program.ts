import { openSync, read, writeSync } from 'node:fs';
import { IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, TUNSETIFF, tunRequest } from '../if-tun.ts';
import { Namespace } from '../namespace.ts';
import * as sys from '../sys.ts';

/*
 * Stands for a machine whose guest is a namespace: `cable-program.ts TAP NETNS DEVICE` opens a tap that is there like a VMM, and another in the
 * namespace at PATH, and passes frames between the two. Prints "open"; ends when it is killed.
 */

function openTap(name: string): number {
	const fd = openSync('/dev/net/tun', 'r+');
	sys.ioctl(fd, TUNSETIFF, tunRequest(name, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR), 'open tap', name);
	return fd;
}

function pass(from: number, to: number): void {
	read(from, Buffer.alloc(65_536), 0, 65_536, null, (error, count, data) => {
		// The device was deleted: nothing more to pass.
		if (error) return;
		try {
			writeSync(to, data.subarray(0, count));
		} catch {
			// A device that is down loses what is sent.
		}
		pass(from, to);
	});
}

const [tap = '', netns = '', device = ''] = process.argv.slice(2);
const outer = openTap(tap);
using guest = Namespace.open(netns);
const inner = guest.run(() => openTap(device));
process.stdout.write('open\n');
pass(outer, inner);
pass(inner, outer);
