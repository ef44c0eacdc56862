import { request } from 'node:http';
import { defaultSocket, encodeCall, type PluginAnswer, type PluginCall } from '../cni/call.ts';
import { type CniErrorDocument, cniCodes } from '../cni/error.ts';
import { newestVersion, supportedVersions } from '../cni/version.ts';

/** Milliseconds; more than the agent takes to give up an ADD and to undo it. */
const timeout = 60_000;
const forwarded = ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_ARGS', 'CNI_PATH'] as const;

/** What kube-ovn.c does, for machines without a C compiler. Never rejects. */
export async function forward(call: PluginCall): Promise<PluginAnswer> {
	const command = call.env.CNI_COMMAND ?? '';
	const asked = stringValue(call.stdin, 'cniVersion') ?? '';
	const cniVersion = /^[0-9.]{1,15}$/.test(asked) ? asked : newestVersion;
	if (command === 'VERSION') return { ok: true, body: `${JSON.stringify({ cniVersion, supportedVersions })}\n` };
	const path = stringValue(call.stdin, 'server_socket') ?? defaultSocket;
	const env = Object.fromEntries(forwarded.flatMap((name) => (call.env[name] === undefined ? [] : [[name, call.env[name]]])));
	try {
		return await post(path, encodeCall({ env, stdin: call.stdin }));
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		const document: CniErrorDocument = {
			cniVersion,
			// DEL fails too: success would leave the port in Open vSwitch and a lifted tap on the node.
			code: command === 'STATUS' ? cniCodes.notAvailable : cniCodes.tryAgain,
			msg:
				code === 'ENOENT' || code === 'ECONNREFUSED'
					? 'the network agent of this node does not answer'
					: 'the network agent did not finish the call',
			details: `${path}: ${message}`,
		};
		return { ok: false, body: `${JSON.stringify(document)}\n` };
	}
}

function post(socketPath: string, body: Buffer): Promise<PluginAnswer> {
	return new Promise((resolve, reject) => {
		const options = { socketPath, path: '/cni', method: 'POST', agent: false, timeout, headers: { 'content-length': body.length } };
		const sent = request(options, (response) => {
			const chunks: Buffer[] = [];
			response.on('data', (chunk: Buffer) => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => {
				const status = response.statusCode;
				if (status === 200 || status === 500) resolve({ ok: status === 200, body: Buffer.concat(chunks).toString() });
				else reject(new Error(`the network agent answered with status ${status}`));
			});
		});
		sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeout / 1000} s`)));
		sent.on('error', reject);
		sent.end(body);
	});
}

function stringValue(stdin: string, key: string): string | undefined {
	try {
		const value = (JSON.parse(stdin) as Record<string, unknown> | null)?.[key];
		return typeof value === 'string' && value !== '' ? value : undefined;
	} catch {
		return undefined;
	}
}
