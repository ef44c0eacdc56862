import { openSync, readSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { macToBytes } from '@tapestry/base';
import { IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, TUNSETIFF, tunRequest } from '../../packages/linux/src/if-tun.ts';
import * as sys from '../../packages/linux/src/sys.ts';
import { reflect } from './reflect.ts';

/*
 * A guest without a guest: opens a tap as QEMU does and answers what comes, so that only the host's part of the path is measured. Its one thread
 * waits in read(2). `reflector-program.ts --tap NAME | --character-device PATH --mac MAC` prints "open" when it holds the device.
 */

/** struct virtio_net_hdr, empty in what is sent: no offload is asked for. */
const header = 10;

const { values } = parseArgs({ options: { tap: { type: 'string' }, 'character-device': { type: 'string' }, mac: { type: 'string' } } });
const fd = openSync(values['character-device'] ?? '/dev/net/tun', 'r+');
if (values.tap !== undefined) {
	sys.ioctl(fd, TUNSETIFF, tunRequest(values.tap, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR), 'open tap', values.tap);
}
const mac = macToBytes(values.mac ?? '');
process.stdout.write(`open ${process.hrtime.bigint()}\n`);
const buffer = Buffer.alloc(header + 65_536);
for (;;) {
	const count = readSync(fd, buffer);
	const frame = buffer.subarray(header, count);
	if (!reflect(frame, mac)) continue;
	buffer.fill(0, 0, header);
	try {
		writeSync(fd, buffer, 0, count);
	} catch {
		// The device is down for a moment, while it is moved: what is sent then is lost, as on a cable.
	}
}
