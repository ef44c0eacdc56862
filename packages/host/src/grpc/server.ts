import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type Clock, CodedError, isCoded, type Logger, messageOf } from '@tapestry/base';
import { frame, grpcError, grpcStatus, readFrame } from './frame.ts';

export type GrpcMethod = (request: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export interface GrpcServerDeps {
	readonly log: Logger;
	readonly clock: Clock;
}

export interface GrpcServerOptions {
	/** Path of the unix socket; one that a killed server left is replaced. */
	readonly socket: string;
	/** By path: `/package.Service/Method`. What they throw becomes the status: GRPC_STATUS with its own, others UNKNOWN. */
	readonly methods: Readonly<Record<string, GrpcMethod>>;
}

const closeTimeout = 1000;

/** Serves unary gRPC calls over HTTP/2 with prior knowledge. Resolves when it listens. */
export async function serveGrpc(deps: GrpcServerDeps, { socket, methods }: GrpcServerOptions): Promise<AsyncDisposable> {
	const sessions = new Set<ServerHttp2Session>();
	const server = createServer();
	server.on('session', (session) => {
		sessions.add(session);
		session.once('close', () => sessions.delete(session));
		session.on('error', (error: Error) => deps.log.warn('a gRPC connection failed', { error }));
	});
	server.on('stream', (stream: ServerHttp2Stream, headers) => {
		stream.on('error', (error: Error) => deps.log.warn('a gRPC call broke off', { path: headers[':path'], error }));
		call(methods, stream, headers).catch((error: unknown) => fail(deps.log, stream, headers, error));
	});
	rmSync(socket, { force: true });
	server.listen(socket);
	try {
		await once(server, 'listening');
	} catch (cause) {
		throw new CodedError(
			'GRPC_LISTEN',
			{ what: `cannot listen on ${socket}`, fix: 'see that the directory is there and writable' },
			{ cause },
		);
	}
	return {
		async [Symbol.asyncDispose]() {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			// Calls that are being answered come to their end, those of clients that take nothing are cut off.
			for (const session of sessions) session.close();
			const cancel = deps.clock.after(closeTimeout, () => {
				for (const session of sessions) session.destroy();
			});
			await closed;
			cancel();
		},
	};
}

async function call(methods: GrpcServerOptions['methods'], stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
	const path = headers[':path'] ?? '';
	if (headers[':method'] !== 'POST' || !headers['content-type']?.startsWith('application/grpc')) {
		stream.respond({ ':status': 415 }, { endStream: true });
		return;
	}
	const method = Object.hasOwn(methods, path) ? methods[path] : undefined;
	if (!method) throw grpcError(grpcStatus.unimplemented, `unknown method ${path}`);
	const answer = await method(await readFrame(stream));
	stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
	stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(grpcStatus.ok) }));
	stream.end(frame(answer));
}

function fail(log: Logger, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, error: unknown): void {
	log.warn('a gRPC call is refused', { path: headers[':path'], error });
	if (stream.destroyed || stream.headersSent) return;
	const refusal = isCoded(error, 'GRPC_STATUS') ? error : undefined;
	const status = refusal
		? Number(refusal.details.status)
		: isCoded(error, 'PROTOBUF_MALFORMED')
			? grpcStatus.invalidArgument
			: grpcStatus.unknown;
	const text = refusal?.text.why ?? messageOf(error);
	stream.respond(
		{ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': encodeURIComponent(text) },
		{ endStream: true },
	);
	// What the client still has to send is not waited for.
	stream.close(constants.NGHTTP2_NO_ERROR);
}
