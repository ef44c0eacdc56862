import { closeSync } from 'node:fs';
import type { Namespace } from './namespace.ts';
import { AF_INET, ioctlInterface, SOCK_DGRAM, socket } from './sys.ts';

const SIOCETHTOOL = 0x8946;
const ETHTOOL_STXCSUM = 0x17;

/**
 * Makes the kernel fill in the checksums of packets that leave by a device (`ethtool -K DEV tx off`). Needed where the far end reads frames
 * through AF_PACKET, as Open vSwitch's userspace datapath does: with the offload on, TCP and UDP carry checksums that nobody completes.
 */
export function disableTransmitChecksumOffload(namespace: Namespace, device: string): void {
	namespace.run(() => {
		const fd = socket(AF_INET, SOCK_DGRAM);
		try {
			// struct ethtool_value { cmd, data } behind struct ifreq { name[16], pointer }.
			const request = new Uint8Array(new Uint32Array([ETHTOOL_STXCSUM, 0]).buffer);
			ioctlInterface(fd, SIOCETHTOOL, device, request, 'turn off transmit checksums');
		} finally {
			closeSync(fd);
		}
	});
}
