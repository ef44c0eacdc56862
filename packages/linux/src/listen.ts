import { closeSync } from 'node:fs';
import { CodedError, formatIp, parseIp } from '@tapestry/base';
import { Namespace } from './namespace.ts';
import { socketAddress } from './socket-address.ts';
import * as sys from './sys.ts';

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const backlog = 511;

/**
 * A TCP socket that listens in another network namespace, for `server.listen({ fd })`: the socket stays in the namespace where it was
 * created. The caller owns the descriptor. An IPv6 address takes no IPv4 connections.
 * @param options.address for example `0.0.0.0`, `fd00::1`; `options.port` 0 asks for any free port.
 */
export function listenInNamespace(namespacePath: string, options: { readonly address: string; readonly port: number }): number {
	const ip = parseIp(options.address);
	if (!ip) throw new CodedError('LINUX_ADDRESS', { what: `cannot listen on "${options.address}"`, why: 'it is not an IP address' });
	using namespace = Namespace.open(namespacePath);
	return namespace.run(() => {
		const fd = sys.socket(ip.family === 4 ? sys.AF_INET : sys.AF_INET6, sys.SOCK_STREAM | sys.SOCK_NONBLOCK);
		try {
			sys.setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
			if (ip.family === 6) sys.setSocketOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
			sys.bind(fd, socketAddress(ip, options.port), `${formatIp(ip)} port ${options.port}`);
			sys.listen(fd, backlog);
			return fd;
		} catch (error) {
			closeSync(fd);
			throw error;
		}
	});
}
