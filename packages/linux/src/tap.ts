import { closeSync, openSync } from 'node:fs';
import {
	IFF_MULTI_QUEUE,
	IFF_NO_PI,
	IFF_TAP,
	IFF_TUN_EXCL,
	IFF_VNET_HDR,
	TUNSETGROUP,
	TUNSETIFF,
	TUNSETOWNER,
	TUNSETPERSIST,
	tunRequest,
} from './if-tun.ts';
import type { Namespace } from './namespace.ts';
import { ioctl } from './sys.ts';

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
			const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL | (options.multiQueue ? IFF_MULTI_QUEUE : 0);
			ioctl(fd, TUNSETIFF, tunRequest(name, flags), 'create tap', name);
			ioctl(fd, TUNSETOWNER, options.uid, 'set owner of tap', name);
			ioctl(fd, TUNSETGROUP, options.gid, 'set group of tap', name);
			ioctl(fd, TUNSETPERSIST, 1, 'keep tap', name);
		} finally {
			closeSync(fd);
		}
	});
}
