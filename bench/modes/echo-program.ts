import { closeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseIp } from '@tapestry/base';
import { socketAddress } from '../../packages/linux/src/socket-address.ts';
import * as sys from '../../packages/linux/src/sys.ts';

/*
 * Answers the prober from the namespace that it was started in, with one thread that waits: `echo-program.ts tcp|udp|sink --address A --port P`;
 * `udp` answers one peer, `--peer A --peer-port P`. Prints "up" when it can be asked.
 */

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { address: { type: 'string' }, port: { type: 'string' }, peer: { type: 'string' }, 'peer-port': { type: 'string' } },
});
const [role] = positionals;
const own = addressOf(values.address, values.port);
const fd = sys.socket(own.family === 4 ? sys.AF_INET : sys.AF_INET6, role === 'udp' ? sys.SOCK_DGRAM : sys.SOCK_STREAM);
sys.setSocketOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
sys.bind(fd, own.bytes, values.address);
const buffer = Buffer.alloc(1 << 17);
if (role === 'udp') sys.connect(fd, addressOf(values.peer, values['peer-port']).bytes, values.peer);
else sys.listen(fd, 16);
process.stdout.write('up\n');

if (role === 'udp') converse(fd, true);
else for (;;) serve(sys.accept(fd));

function serve(peer: number): void {
	try {
		sys.setSocketOption(peer, IPPROTO_TCP, TCP_NODELAY, 1);
		converse(peer, role === 'tcp');
	} catch {
		// The peer broke off.
	} finally {
		closeSync(peer);
	}
}

function converse(peer: number, answers: boolean): void {
	for (;;) {
		const count = sys.receiveWaiting(peer, buffer);
		if (count === 0) return;
		if (count > 0 && answers) sys.send(peer, buffer.subarray(0, count));
	}
}

function addressOf(address = '', port = '0'): { readonly family: 4 | 6; readonly bytes: Uint8Array } {
	const ip = parseIp(address);
	if (!ip) throw new Error(`"${address}" is no address`);
	return { family: ip.family, bytes: socketAddress(ip, Number(port)) };
}
