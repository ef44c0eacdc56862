import { closeSync } from 'node:fs';
import { CodedError } from '@tapestry/base';
import { linuxError } from '../errors.ts';
import type { Namespace } from '../namespace.ts';
import * as sys from '../sys.ts';
import { decodeAttributes, textOf } from './attributes.ts';
import {
	decodeMessages,
	encodeMessages,
	type Message,
	NLM_F_ACK,
	NLM_F_DUMP,
	NLM_F_DUMP_INTR,
	NLM_F_REQUEST,
	NLMSG_DONE,
	NLMSG_ERROR,
} from './message.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NLMSGERR_ATTR_MSG = 1;
/** The errno and the header of the message that it answers. */
const errorHeader = 4 + 16;
/** The kernel's dumps come in datagrams of at most 32 KiB. */
const buffer = new Uint8Array(64 * 1024);

export interface Request {
	readonly type: number;
	/** Beside NLM_F_REQUEST and NLM_F_ACK. */
	readonly flags?: number;
	readonly payload: Uint8Array;
	/** For the error message: what was asked, of what. */
	readonly operation: string;
	readonly subject?: string;
}

/**
 * A netlink socket of one network namespace: the one it was opened in. Requests are synchronous: the kernel handles them inside send(2), so
 * the answer is there when send returns.
 */
export class NetlinkSocket implements Disposable {
	readonly #fd: number;
	#sequence = 0;
	#open = true;

	private constructor(fd: number) {
		this.#fd = fd;
	}

	/** @param namespace the process's own when left out. */
	static open(protocol: number, namespace?: Namespace): NetlinkSocket {
		const create = (): number => sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, protocol);
		const fd = namespace ? namespace.run(create) : create();
		sys.setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
		sys.setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
		return new NetlinkSocket(fd);
	}

	/** Sends requests in one datagram and returns their answers. Throws LINUX_<ERRNO> for the first that failed. */
	request(...requests: readonly Request[]): readonly Message[] {
		const first = this.#sequence + 1;
		sys.send(this.#fd, this.#encode(requests));
		return this.#collect(requests, first);
	}

	/** As `request`, without blocking this thread while the kernel works. No other request may be made meanwhile on this socket. */
	async requestAsync(request: Request): Promise<readonly Message[]> {
		const first = this.#sequence + 1;
		await sys.sendAsync(this.#fd, this.#encode([request]));
		return this.#collect([request], first);
	}

	/** Lists objects, again from the start when the kernel says that they changed meanwhile (NLM_F_DUMP_INTR). */
	dump(request: Request): readonly Message[] {
		for (let attempt = 0; attempt < 8; attempt++) {
			const sequence = ++this.#sequence;
			sys.send(this.#fd, encodeMessages([{ ...request, sequence, flags: NLM_F_REQUEST | NLM_F_DUMP | (request.flags ?? 0) }]));
			const found = this.#readDump(request, sequence);
			if (found) return found;
		}
		throw new CodedError('LINUX_DUMP', { what: `${request.operation} failed`, why: 'the list kept changing while it was read' });
	}

	[Symbol.dispose](): void {
		if (this.#open) closeSync(this.#fd);
		this.#open = false;
	}

	#encode(requests: readonly Request[]): Uint8Array {
		return encodeMessages(
			requests.map(({ type, flags = 0, payload }) => ({ type, flags: flags | NLM_F_REQUEST, payload, sequence: ++this.#sequence })),
		);
	}

	/** Reads until every request that asks for one has its acknowledgement. */
	#collect(requests: readonly Request[], first: number): readonly Message[] {
		const answers: Message[] = [];
		let failure: CodedError | undefined;
		let missing = requests.filter(({ flags = 0 }) => flags & NLM_F_ACK).length;
		while (missing > 0) {
			for (const message of this.#receive(requests[0])) {
				const request = requests[message.sequence - first];
				if (!request) continue;
				if (message.type !== NLMSG_ERROR) {
					answers.push(message);
					continue;
				}
				if (request.flags && request.flags & NLM_F_ACK) missing--;
				failure ??= errorOf(message, request);
			}
			if (failure && missing > 0) break;
		}
		if (failure) throw failure;
		return answers;
	}

	#readDump(request: Request, sequence: number): readonly Message[] | undefined {
		const found: Message[] = [];
		let interrupted = false;
		for (;;) {
			for (const message of this.#receive(request)) {
				if (message.sequence !== sequence) continue;
				if (message.flags & NLM_F_DUMP_INTR) interrupted = true;
				if (message.type === NLMSG_DONE) return interrupted ? undefined : found;
				if (message.type !== NLMSG_ERROR) found.push(message);
				else {
					const failure = errorOf(message, request);
					if (failure) throw failure;
				}
			}
		}
	}

	/** One datagram. Nothing to read means that the kernel did not answer, which it always does before send(2) returns. */
	#receive(request: Request | undefined): readonly Message[] {
		const count = sys.receive(this.#fd, buffer);
		if (count < 0) throw linuxError(-count, request?.operation ?? 'recv', request?.subject);
		// A copy: the buffer is shared by all sockets and the payloads are views.
		return decodeMessages(buffer.slice(0, count));
	}
}

function errorOf(message: Message, request: Request): CodedError | undefined {
	const { payload } = message;
	const errno = -new DataView(payload.buffer, payload.byteOffset, payload.length).getInt32(0, true);
	if (errno === 0) return undefined;
	const error = linuxError(errno, request.operation, request.subject);
	const explanation = decodeAttributes(payload.subarray(errorHeader)).get(NLMSGERR_ATTR_MSG);
	if (!explanation) return error;
	return new CodedError(error.code, { ...error.text, why: `${error.text.why} (${textOf(explanation)})` }, { details: error.details });
}
