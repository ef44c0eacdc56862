import { closeSync } from 'node:fs';
import { decodeLink, type Link, RTM_DELLINK, RTM_NEWLINK } from './link-message.ts';
import type { Namespace } from './namespace.ts';
import { decodeMessages } from './netlink/message.ts';
import { NETLINK_ROUTE } from './netlink/socket.ts';
import * as sys from './sys.ts';

const RTMGRP_LINK = 1;

export type LinkEvent =
	| { readonly type: 'changed'; readonly link: Link }
	| { readonly type: 'removed'; readonly link: Link }
	/** The kernel dropped events (ENOBUFS): read the links again. */
	| { readonly type: 'missed' };

/** SIGIO is one for the whole process, and so is who listens to it. */
const monitors = new Set<() => void>();
let listening = false;

function listenOnce(): void {
	if (listening) return;
	listening = true;
	// Never taken off again: a signal already on its way would end the process (signal(7), SIGIO's default action).
	process.on('SIGIO', () => {
		for (const drain of monitors) drain();
	});
}

/**
 * Tells of changes of devices in any number of namespaces. The kernel announces readable sockets by SIGIO (fcntl(2), O_ASYNC), which wakes the
 * event loop: a namespace costs one socket, no thread and no slot of libuv's pool, and nothing polls. Not for worker threads, which get no signals.
 */
export class LinkMonitor implements Disposable {
	readonly #watches = new Map<number, (event: LinkEvent) => void>();
	readonly #buffer = new Uint8Array(64 * 1024);
	readonly #onSignal = (): void => this.#drain();

	constructor() {
		listenOnce();
		monitors.add(this.#onSignal);
	}

	/**
	 * Starts to watch a namespace; the returned function stops it. The watch keeps the namespace alive. Events begin with the call, so that a
	 * reader who lists the links afterwards misses nothing.
	 */
	watch(namespace: Namespace, listener: (event: LinkEvent) => void): () => void {
		const fd = namespace.run(() => sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, NETLINK_ROUTE));
		// Before joining the group: an event that came before the signal was asked for would lie there unseen.
		sys.signalWhenReadable(fd);
		// struct sockaddr_nl: family, padding, port id chosen by the kernel, groups.
		const address = new Uint8Array(new Uint32Array([sys.AF_NETLINK, 0, RTMGRP_LINK]).buffer);
		sys.bind(fd, address);
		this.#watches.set(fd, listener);
		return () => this.#stop(fd);
	}

	/** As `watch`, for whoever looks after one device: calls back when that of this name may have changed. */
	watchLink(namespace: Namespace, name: string, listener: () => void): () => void {
		return this.watch(namespace, (event) => {
			if (event.type === 'missed' || event.link.name === name) listener();
		});
	}

	[Symbol.dispose](): void {
		monitors.delete(this.#onSignal);
		for (const fd of this.#watches.keys()) this.#stop(fd);
	}

	#stop(fd: number): void {
		if (this.#watches.delete(fd)) closeSync(fd);
	}

	/** One signal may stand for many sockets and many messages. */
	#drain(): void {
		for (const [fd, listener] of this.#watches) {
			while (this.#watches.get(fd) === listener) {
				const count = sys.receive(fd, this.#buffer);
				if (count === -sys.EAGAIN) break;
				if (count < 0) listener({ type: 'missed' });
				else this.#deliver(this.#buffer.slice(0, count), listener);
			}
		}
	}

	#deliver(datagram: Uint8Array, listener: (event: LinkEvent) => void): void {
		for (const { type, payload } of decodeMessages(datagram)) {
			if (type === RTM_NEWLINK) listener({ type: 'changed', link: decodeLink(payload) });
			else if (type === RTM_DELLINK) listener({ type: 'removed', link: decodeLink(payload) });
		}
	}
}
