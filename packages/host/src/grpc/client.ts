import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { Clock } from '@tapestry/base';
import { frame, grpcError, grpcStatus, readFrame } from './frame.ts';

export interface GrpcCall {
	/** Path of the unix socket. */
	readonly socket: string;
	/** `/package.Service/Method`. */
	readonly path: string;
	readonly message: Uint8Array;
	readonly timeoutMs: number;
}

/** One unary call on a connection of its own. @throws GRPC_STATUS; with status 14 (unavailable) when nobody listens */
export async function callGrpc(clock: Clock, { socket, path, message, timeoutMs }: GrpcCall): Promise<Uint8Array> {
	const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
	const failed = Promise.withResolvers<never>();
	failed.promise.catch(() => {});
	session.once('error', (error) => failed.reject(grpcError(grpcStatus.unavailable, `no connection to ${socket}`, error)));
	session.once('close', () => failed.reject(grpcError(grpcStatus.unavailable, 'the connection was closed')));
	const cancel = clock.after(timeoutMs, () => failed.reject(grpcError(grpcStatus.deadlineExceeded, `no answer within ${timeoutMs} ms`)));
	try {
		const stream = session.request({
			':method': 'POST',
			':path': path,
			'content-type': 'application/grpc',
			te: 'trailers',
			'grpc-timeout': `${timeoutMs * 1000}u`,
		});
		stream.on('error', (error) => failed.reject(grpcError(grpcStatus.unavailable, 'the call broke off', error)));
		stream.end(frame(message));
		return await Promise.race([answerOf(stream), failed.promise]);
	} finally {
		cancel();
		session.destroy();
	}
}

async function answerOf(stream: ClientHttp2Stream): Promise<Uint8Array> {
	const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
	if (Number(headers[':status']) !== 200) throw grpcError(grpcStatus.unknown, `HTTP status ${headers[':status']}`);
	refuse(headers);
	const trailers = new Promise<IncomingHttpHeaders>((resolve) => stream.once('trailers', resolve));
	const message = await readFrame(stream);
	refuse(await trailers);
	return message;
}

function refuse(headers: IncomingHttpHeaders): void {
	const status = headers['grpc-status'];
	if (status === undefined || status === '0') return;
	throw grpcError(Number(status), decodeURIComponent(String(headers['grpc-message'] ?? '')));
}
