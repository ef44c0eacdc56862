import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, parseCidr, silentLogger } from '@tapestry/base';
import { type HostPort, systemClock } from '@tapestry/host';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../server.ts';

export interface TestApiServer extends AsyncDisposable {
	/** Path of an administrator's kubeconfig. */
	readonly kubeconfig: string;
	/** Path of the server's unix socket. */
	readonly unix: string;
	readonly address: HostPort;
	/** Stops the server; its objects and keys stay. */
	stop(): Promise<void>;
	/** Starts it again on the same port, with the objects and keys that it had. */
	restart(): Promise<void>;
	/** Stops it for good and removes its directory. */
	close(): Promise<void>;
}

/** An API server inside the test's process, in a directory of its own, on a free port. */
export async function startTestApiServer(options: Partial<ApiServerOptions> & { readonly log?: Logger } = {}): Promise<TestApiServer> {
	const { log = silentLogger, ...overrides } = options;
	const directory = await mkdtemp(join(tmpdir(), 'apiserver-'));
	const kubeconfig = join(directory, 'kubeconfig');
	const unix = join(directory, 'api.sock');
	const cidr = parseCidr('10.96.0.0/16');
	const start = (port: number) =>
		startApiServer(
			{ clock: systemClock, log, random: Math.random },
			{
				data: join(directory, 'data'),
				listen: { host: '127.0.0.1', port },
				unix,
				kubeconfigOut: kubeconfig,
				serviceCidrs: cidr ? [cidr] : [],
				...overrides,
			},
		);
	const removeDirectory = (): Promise<void> => rm(directory, { recursive: true, force: true });
	let server: ApiServer | undefined = await start(0).catch(async (error: unknown) => {
		await removeDirectory();
		throw error;
	});
	const { address } = server;
	const stop = async (): Promise<void> => {
		await server?.close();
		server = undefined;
	};
	const close = async (): Promise<void> => {
		await stop();
		await removeDirectory();
	};
	return {
		kubeconfig,
		unix,
		address,
		stop,
		async restart() {
			await stop();
			server = await start(address.port);
		},
		close,
		[Symbol.asyncDispose]: close,
	};
}
