import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServerIdentity, followConnections } from '@tapestry/host';

export interface ReviewRequest {
	readonly uid: string;
	readonly [field: string]: unknown;
}

/** What a test's webhook says: a response without its uid, or the whole body as text, or nothing for ever. */
export type Say = (request: ReviewRequest) => object | string | undefined;

export interface TestWebhook extends AsyncDisposable {
	readonly url: string;
	readonly port: number;
	/** Base64 of PEM. */
	readonly caBundle: string;
	/** What was asked, oldest first. */
	readonly asked: readonly ReviewRequest[];
	say: Say;
	/** How many connections were made to it. */
	readonly connections: number;
	/** Closes all of them, as a webhook that starts anew does. */
	hangUp(): void;
}

export const patchOf = (...operations: readonly object[]): object => ({
	allowed: true,
	patchType: 'JSONPatch',
	patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

/** An admission webhook on 127.0.0.1, also good for the name `hook.default.svc`. */
export async function startTestWebhook(say: Say = () => ({ allowed: true })): Promise<TestWebhook> {
	const identity = createServerIdentity({ commonName: 'hook', names: ['127.0.0.1', 'hook.default.svc'], now: Date.now() });
	const asked: ReviewRequest[] = [];
	const server = createServer({ cert: identity.certificate, key: identity.key }, async (request, response) => {
		const { request: question } = JSON.parse(await textOf(request)) as { readonly request: ReviewRequest };
		asked.push(question);
		const answer = webhook.say(question);
		if (answer === undefined) return;
		const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: question.uid, ...Object(answer) } };
		response.end(typeof answer === 'string' ? answer : JSON.stringify(review));
	});
	const cut = followConnections(server);
	let connections = 0;
	server.on('secureConnection', () => void connections++);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const webhook: TestWebhook = {
		url: `https://127.0.0.1:${port}/hook`,
		port,
		caBundle: Buffer.from(identity.authority).toString('base64'),
		asked,
		say,
		get connections() {
			return connections;
		},
		hangUp: () => server.closeAllConnections(),
		async [Symbol.asyncDispose]() {
			const closed = new Promise((resolve) => server.close(resolve));
			cut();
			await closed;
		},
	};
	return webhook;
}

async function textOf(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString('utf8');
}
