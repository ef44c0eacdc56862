import { closeSync, openSync } from 'node:fs';
import type { Namespace } from './namespace.ts';
import { ioctl } from './sys.ts';

// linux/if_tun.h
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOWNER = 0x400454cc;
const TUNSETGROUP = 0x400454ce;
const IFF_TAP = 0x0002;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;
const ifreqLength = 40;

export interface TapOptions {
	/** At most 15 bytes. */
	readonly name: string;
	/** Who may open it without capabilities. */
	readonly uid: number;
	readonly gid: number;
	/** Must be true exactly when the user opens several queues: the kernel refuses the other kind with EINVAL. */
	readonly multiQueue: boolean;
}

/**
 * Makes a persistent tap with vnet headers in a namespace. It stays, without carrier, until it is deleted; a process gives it carrier by opening
 * it. Throws LINUX_EBUSY when the name is taken.
 */
export function createTap(namespace: Namespace, options: TapOptions): void {
	const { name } = options;
	namespace.run(() => {
		// The tap belongs to the namespace of the thread that opens /dev/net/tun.
		const fd = openSync('/dev/net/tun', 'r+');
		try {
			const request = new Uint8Array(ifreqLength);
			new TextEncoder().encodeInto(name, request.subarray(0, 15));
			const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL | (options.multiQueue ? IFF_MULTI_QUEUE : 0);
			new DataView(request.buffer).setUint16(16, flags, true);
			ioctl(fd, TUNSETIFF, request, 'create tap', name);
			ioctl(fd, TUNSETOWNER, options.uid, 'set owner of tap', name);
			ioctl(fd, TUNSETGROUP, options.gid, 'set group of tap', name);
			ioctl(fd, TUNSETPERSIST, 1, 'keep tap', name);
		} finally {
			closeSync(fd);
		}
	});
}
