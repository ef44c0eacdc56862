import { type Ip, ipToBytes } from '@tapestry/base';
import { AF_INET, AF_INET6 } from './sys.ts';

/** struct sockaddr_in (ip(7)) or sockaddr_in6 (ipv6(7)). */
export function socketAddress(ip: Ip, port: number): Uint8Array {
	const bytes = new Uint8Array(ip.family === 4 ? 16 : 28);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, ip.family === 4 ? AF_INET : AF_INET6, true);
	view.setUint16(2, port);
	bytes.set(ipToBytes(ip), ip.family === 4 ? 4 : 8);
	return bytes;
}
