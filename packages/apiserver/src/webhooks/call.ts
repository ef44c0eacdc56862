import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import { type Clock, messageOf } from '@tapestry/base';
import { type Destination, lookupOf } from './destination.ts';
import type { Hook } from './hook.ts';

const longestAnswer = 3 << 20;

/** Connections that are kept between calls: to make one anew takes longer than most answers. */
export type Connections = Agent;

export function createConnections(): Connections {
	return new Agent({ keepAlive: true });
}

/** Posts the review and returns the answer's body, parsed. Throws Error whose message is kube-apiserver's, for `failed calling webhook`. */
export async function callHook(
	{ clock, connections }: { readonly clock: Clock; readonly connections: Connections },
	hook: Hook,
	{ url, dial }: Destination,
	review: object,
): Promise<unknown> {
	const target = new URL(url);
	target.searchParams.set('timeout', `${hook.timeoutSeconds}s`);
	const abort = new AbortController();
	const cancel = clock.after(hook.timeoutSeconds * 1000, () => abort.abort());
	const { caBundle } = hook.clientConfig;
	try {
		const answer = await post(target, JSON.stringify(review), {
			signal: abort.signal,
			minVersion: 'TLSv1.2',
			...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}),
			// They are known by name and port; an endpoint that a Service leads to may be another every time.
			agent: dial ? false : connections,
			...(dial ? { port: dial.port, ...(isIP(dial.host) ? { lookup: lookupOf(dial.host) } : {}) } : {}),
		});
		return await readAnswer(answer);
	} catch (error) {
		const why = abort.signal.aborted ? 'context deadline exceeded' : messageOf(error);
		if (error instanceof AnswerError) throw new Error(`failed to call webhook: ${why}`);
		throw new Error(`failed to call webhook: Post "${target.href}": ${why}`);
	} finally {
		cancel();
	}
}

/** The webhook was reached, and what it said is of no use. */
class AnswerError extends Error {}

function post(url: URL, body: string, options: RequestOptions): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		const headers = { 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(body) };
		const made = request(url, { ...options, method: 'POST', headers });
		made.once('response', resolve);
		made.once('error', (error) => {
			// A webhook that was restarted, or waited for long enough, has closed the connection that was kept. Reviews have no side effects.
			if (made.reusedSocket && !options.signal?.aborted) post(url, body, { ...options, agent: false }).then(resolve, reject);
			else reject(error);
		});
		made.end(body);
	});
}

async function readAnswer(answer: IncomingMessage): Promise<unknown> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of answer) {
		size += (chunk as Buffer).length;
		if (size > longestAnswer) throw new AnswerError('http: request body too large');
		chunks.push(chunk as Buffer);
	}
	const text = Buffer.concat(chunks).toString('utf8');
	const { statusCode = 0 } = answer;
	if (statusCode === 404) throw new AnswerError('the server could not find the requested resource');
	if (statusCode >= 500)
		throw new AnswerError(`an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`);
	if (statusCode !== 200) throw new AnswerError(`the server rejected our request for an unknown reason (HTTP status ${statusCode})`);
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new AnswerError(`couldn't get version/kind; json parse error: ${messageOf(error)}`);
	}
}
