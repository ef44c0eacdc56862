import koffi from 'koffi';
import { linuxError } from './errors.ts';

/*
 * The only file that calls C. Every function is synchronous and returns what the call returned, or throws LINUX_<ERRNO>.
 * koffi makes the calls on the JavaScript thread, so a namespace entered here is seen by no other thread of the process.
 */

const libc = koffi.load('libc.so.6');

const c = {
	socket: libc.func('int socket(int domain, int type, int protocol)'),
	bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
	listen: libc.func('int listen(int fd, int backlog)'),
	accept: libc.func('int accept4(int fd, void *address, void *length, int flags)'),
	connect: libc.func('int connect(int fd, const void *address, uint32_t length)'),
	setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
	send: libc.func('int64_t send(int fd, const void *data, size_t length, int flags)'),
	recv: libc.func('int64_t recv(int fd, _Out_ uint8_t *data, size_t length, int flags)'),
	setns: libc.func('int setns(int fd, int type)'),
	unshare: libc.func('int unshare(int flags)'),
	mount: libc.func('int mount(const char *source, const char *target, const char *type, ulong flags, const void *data)'),
	flock: libc.func('int flock(int fd, int operation)'),
	umount2: libc.func('int umount2(const char *target, int flags)'),
	fcntl: libc.func('int fcntl(int fd, int command, ...)'),
	ioctl: libc.func('int ioctl(int fd, ulong request, ...)'),
};

export const EAGAIN = 11;
const EINTR = 4;
export const ENOBUFS = 105;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_DONTWAIT = 0x40;
const LOCK_EX = 2;
const F_SETFL = 4;
const F_SETOWN = 8;
const O_NONBLOCK = 0o4000;
const O_ASYNC = 0o20000;

function checked(result: number, operation: string, subject?: string): number {
	if (result < 0) throw linuxError(koffi.errno(), operation, subject);
	return result;
}

export function socket(domain: number, type: number, protocol = 0): number {
	return checked(c.socket(domain, type | SOCK_CLOEXEC, protocol), 'socket');
}

export function bind(fd: number, address: Uint8Array, subject?: string): void {
	checked(c.bind(fd, address, address.length), 'bind', subject);
}

export function listen(fd: number, backlog: number): void {
	checked(c.listen(fd, backlog), 'listen');
}

/** Waits for a peer of a listening socket, unless it is non-blocking. */
export function accept(fd: number): number {
	return checked(c.accept(fd, null, null, SOCK_CLOEXEC), 'accept');
}

export function connect(fd: number, address: Uint8Array, subject?: string): void {
	checked(c.connect(fd, address, address.length), 'connect', subject);
}

export function setSocketOption(fd: number, level: number, name: number, value: number): void {
	const bytes = new Uint8Array(Int32Array.of(value).buffer);
	checked(c.setsockopt(fd, level, name, bytes, bytes.length), 'setsockopt');
}

export function send(fd: number, data: Uint8Array): void {
	checked(Number(c.send(fd, data, data.length, 0)), 'send');
}

/** The same from a thread of libuv's pool, for requests in which the kernel waits (deleting a link waits for RCU, some 18 ms). */
export function sendAsync(fd: number, data: Uint8Array): Promise<void> {
	return new Promise((resolve, reject) => {
		// errno is the pool thread's and cannot be read here; netlink reports failures in its answer, so a short count means the socket is gone.
		c.send.async(fd, data, data.length, 0, (error: Error | null, sent: number | bigint) => {
			if (error) reject(error);
			else if (Number(sent) === data.length) resolve();
			else reject(linuxError(ENOBUFS, 'send'));
		});
	});
}

/** Never blocks: the number of bytes, or the negated errno EAGAIN or ENOBUFS; interrupted calls are repeated. */
export function receive(fd: number, into: Uint8Array): number {
	for (;;) {
		const count = Number(c.recv(fd, into, into.length, MSG_DONTWAIT));
		if (count >= 0) return count;
		const errno = koffi.errno();
		if (errno === EINTR) continue;
		if (errno === EAGAIN || errno === ENOBUFS) return -errno;
		throw linuxError(errno, 'recv');
	}
}

/** From now on `receiveWaiting` gives up after this time, in milliseconds (socket(7), SO_RCVTIMEO). */
export function setReceiveTimeout(fd: number, ms: number): void {
	const timeval = new Uint8Array(BigInt64Array.of(BigInt(Math.floor(ms / 1000)), BigInt((ms % 1000) * 1000)).buffer);
	checked(c.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.length), 'setsockopt(SO_RCVTIMEO)');
}

/** Blocks the thread: for programs that do nothing else. The number of bytes, or the negated EAGAIN when the time is over. */
export function receiveWaiting(fd: number, into: Uint8Array): number {
	for (;;) {
		const count = Number(c.recv(fd, into, into.length, 0));
		if (count >= 0) return count;
		const errno = koffi.errno();
		if (errno === EAGAIN) return -errno;
		if (errno !== EINTR) throw linuxError(errno, 'recv');
	}
}

/** From now on the kernel sends this process SIGIO when `fd` becomes readable (fcntl(2), O_ASYNC). */
export function signalWhenReadable(fd: number): void {
	checked(c.fcntl(fd, F_SETOWN, 'int', process.pid), 'fcntl(F_SETOWN)');
	checked(c.fcntl(fd, F_SETFL, 'int', O_NONBLOCK | O_ASYNC), 'fcntl(F_SETFL)');
}

export function setNamespace(fd: number, subject?: string): void {
	checked(c.setns(fd, CLONE_NEWNET), 'setns', subject);
}

export function unshareNetwork(): void {
	checked(c.unshare(CLONE_NEWNET), 'unshare(CLONE_NEWNET)');
}

export function mount(source: string, target: string, flags: number): void {
	checked(c.mount(source, target, 'none', flags, null), 'mount', target);
}

/** Waits for the exclusive lock of an open file or directory; closing the descriptor gives it back. */
export function lockExclusively(fd: number, subject?: string): void {
	checked(c.flock(fd, LOCK_EX), 'flock', subject);
}

export function unmount(target: string, flags: number): void {
	checked(c.umount2(target, flags), 'umount', target);
}

/** An ioctl on a device by name whose `struct ifreq` points to further data (netdevice(7)); `data` is not changed. */
export function ioctlInterface(fd: number, request: number, device: string, data: Uint8Array, operation: string): void {
	const ifreq = new Uint8Array(40);
	new TextEncoder().encodeInto(device, ifreq.subarray(0, 15));
	new DataView(ifreq.buffer).setBigUint64(16, koffi.address(data), true);
	ioctl(fd, request, ifreq, operation, device);
}

/** `argument` is changed in place by requests that answer. */
export function ioctl(fd: number, request: number, argument: Uint8Array | number, operation: string, subject?: string): void {
	const result =
		typeof argument === 'number' ? c.ioctl(fd, request, 'long', argument) : c.ioctl(fd, request, '_Inout_ uint8_t *', argument);
	checked(result, operation, subject);
}
