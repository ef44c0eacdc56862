import type { Readable } from 'node:stream';
import { CodedError } from '@tapestry/base';

/** Status codes of gRPC (grpc.github.io/grpc/core/md_doc_statuscodes.html), the ones that are used here. */
export const grpcStatus = {
	ok: 0,
	unknown: 2,
	invalidArgument: 3,
	deadlineExceeded: 4,
	resourceExhausted: 8,
	unimplemented: 12,
	internal: 13,
	unavailable: 14,
} as const;

/** grpc-go's default limit of what it receives, in bytes. */
export const longestMessage = 4 << 20;

export function grpcError(status: number, why: string, cause?: unknown): CodedError {
	return new CodedError('GRPC_STATUS', { what: `gRPC status ${status}`, why }, { cause, details: { status } });
}

/** A message with its prefix: not compressed, and its length. */
export function frame(message: Uint8Array): Buffer {
	const prefix = Buffer.alloc(5);
	prefix.writeUInt32BE(message.length, 1);
	return Buffer.concat([prefix, message]);
}

/** The one message of a unary call. A stream that has more is left open, so that it can be answered. @throws GRPC_STATUS */
export async function readFrame(stream: Readable): Promise<Uint8Array> {
	const bytes = await readAll(stream, longestMessage + 5);
	if (bytes.length < 5) throw grpcError(grpcStatus.internal, 'there is no message');
	if (bytes[0] !== 0) throw grpcError(grpcStatus.unimplemented, 'compressed messages are not read');
	const length = bytes.readUInt32BE(1);
	if (length !== bytes.length - 5) {
		throw grpcError(grpcStatus.internal, `a message of ${length} bytes was announced, ${bytes.length - 5} came`);
	}
	return bytes.subarray(5);
}

function readAll(stream: Readable, limit: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	return new Promise((resolve, reject) => {
		const take = (chunk: Buffer): void => {
			size += chunk.length;
			chunks.push(chunk);
			if (size <= limit) return;
			stream.off('data', take);
			reject(grpcError(grpcStatus.resourceExhausted, `the message is longer than ${longestMessage} bytes`));
		};
		stream.on('data', take);
		stream.once('end', () => resolve(Buffer.concat(chunks)));
		stream.once('close', () => reject(grpcError(grpcStatus.unavailable, 'the call broke off')));
	});
}
