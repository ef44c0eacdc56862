// linux/if_tun.h
export const TUNSETIFF = 0x400454ca;
export const TUNSETPERSIST = 0x400454cb;
export const TUNSETOWNER = 0x400454cc;
export const TUNSETGROUP = 0x400454ce;
export const TUNSETQUEUE = 0x400454d9;
export const IFF_TAP = 0x0002;
export const IFF_MULTI_QUEUE = 0x0100;
export const IFF_DETACH_QUEUE = 0x0400;
export const IFF_NO_PI = 0x1000;
export const IFF_VNET_HDR = 0x4000;
export const IFF_TUN_EXCL = 0x8000;

/** struct ifreq of the requests above: the device and flags of IFF_*. */
export function tunRequest(name: string, flags: number): Uint8Array {
	const request = new Uint8Array(40);
	new TextEncoder().encodeInto(name, request.subarray(0, 15));
	new DataView(request.buffer).setUint16(16, flags, true);
	return request;
}
