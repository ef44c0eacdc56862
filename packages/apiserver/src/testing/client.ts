import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import { parse } from 'yaml';

export interface Answer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly text: string;
	/** The parsed body. */
	readonly body: Record<string, unknown>;
}

export interface RawRequest {
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
	/** Without the administrator's token. */
	readonly anonymous?: boolean;
	/** Through this unix socket. */
	readonly socketPath?: string;
}

/** Plain HTTPS with a kubeconfig's credentials: for what the client package would never send. */
export interface RawClient extends Disposable {
	send(method: string, path: string, more?: RawRequest): Promise<Answer>;
	/** Resolves with the response once it begins; its body goes on. */
	open(path: string): Promise<IncomingMessage>;
}

interface Kubeconfig {
	readonly clusters: readonly { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }[];
	readonly users: readonly { readonly user: { readonly token: string } }[];
}

export function createRawClient(kubeconfig: string): RawClient {
	const { clusters, users } = parse(kubeconfig) as Kubeconfig;
	const [{ cluster }, { user }] = [clusters[0]!, users[0]!];
	const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
	const agent = new Agent({ keepAlive: true });
	const start = (method: string, path: string, { body, headers, anonymous, socketPath }: RawRequest): ClientRequest => {
		const authorization = anonymous ? {} : { authorization: `Bearer ${user.token}` };
		const type = body === undefined ? {} : { 'content-type': 'application/json' };
		// A socket has no name to verify the certificate against.
		const where = socketPath === undefined ? {} : { socketPath, servername: 'kubernetes' };
		const made = secureRequest(new URL(path, cluster.server), {
			method,
			ca,
			agent,
			headers: { ...type, ...authorization, ...headers },
			...where,
		});
		made.end(body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
		return made;
	};
	const open = (made: ClientRequest): Promise<IncomingMessage> =>
		new Promise((resolve, reject) => {
			made.once('response', resolve);
			made.once('error', reject);
		});
	return {
		async send(method, path, more = {}) {
			const response = await open(start(method, path, more));
			const chunks: Buffer[] = [];
			for await (const chunk of response) chunks.push(chunk as Buffer);
			const text = Buffer.concat(chunks).toString('utf8');
			const json = response.headers['content-type']?.startsWith('application/json') && text !== '';
			return { status: response.statusCode ?? 0, headers: response.headers, text, body: json ? JSON.parse(text) : {} };
		},
		open: (path) => open(start('GET', path, {})),
		[Symbol.dispose]: () => agent.destroy(),
	};
}
