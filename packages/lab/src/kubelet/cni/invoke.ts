import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CodedError, messageOf } from '@tapestry/base';
import type { CniAttachment, CniResult, PluginConfiguration } from './types.ts';

export type CniCommand = 'ADD' | 'DEL';

export interface CniCall {
	readonly command: CniCommand;
	/** Directory with the plugins. */
	readonly binDir: string;
	readonly attachment: CniAttachment;
	/** The plugin's configuration with `cniVersion`, `name` and, where there is one, `prevResult`. */
	readonly configuration: PluginConfiguration;
	readonly signal?: AbortSignal;
}

export interface CniDeps {
	/** The plugin's environment, next to the CNI variables. */
	readonly env: Readonly<Record<string, string | undefined>>;
}

/** Plugins wait for their network; one that has not answered by then hangs. */
const deadlineMs = 120_000;

/**
 * Runs a CNI plugin once (CNI specification 1.1, section 2) and resolves with the result of an ADD, undefined for a DEL.
 * @throws CNI_PLUGIN; `details.code` is the plugin's own code (11 means: try again later), absent when it gave none
 */
export async function cniInvoke(deps: CniDeps, call: CniCall): Promise<CniResult | undefined> {
	const { command, binDir, configuration } = call;
	// Node starts the plugin first and then looks at the signal.
	call.signal?.throwIfAborted();
	const deadline = AbortSignal.timeout(deadlineMs);
	const child = spawn(join(binDir, configuration.type), [], {
		env: { ...deps.env, ...variables(call) },
		stdio: ['pipe', 'pipe', 'pipe'],
		killSignal: 'SIGKILL',
		signal: call.signal ? AbortSignal.any([call.signal, deadline]) : deadline,
	});
	const failure = (why: string, details = {}, cause?: unknown): CodedError =>
		new CodedError('CNI_PLUGIN', { what: `the network plugin ${configuration.type} failed to ${command}`, why }, { details, cause });
	// A plugin that fails early does not read its configuration.
	child.stdin.on('error', () => {});
	child.stdin.end(JSON.stringify(configuration));
	let ended: [[number | null, string | null], string, string];
	try {
		ended = await Promise.all([once(child, 'close') as Promise<[number | null, string | null]>, text(child.stdout), text(child.stderr)]);
	} catch (cause) {
		call.signal?.throwIfAborted();
		throw failure(deadline.aborted ? `it did not answer within ${deadlineMs / 1000} s` : messageOf(cause), {}, cause);
	}
	const [[status, signal], output, errors] = ended;
	const answer = parse(output);
	if (status === 0) {
		if (command !== 'ADD') return undefined;
		if (answer === undefined) throw failure('its answer is not JSON');
		return answer as CniResult;
	}
	// Section 5, "Error".
	const { code, msg, details } = (answer ?? {}) as { readonly code?: number; readonly msg?: string; readonly details?: string };
	if (msg !== undefined) throw failure([msg, details].filter(Boolean).join(': '), { code });
	throw failure(errors.trim() || output.trim() || `it ended with ${signal ?? `status ${status}`}`);
}

/** Section 2, "Parameters". */
function variables({ command, binDir, attachment }: CniCall): Record<string, string> {
	const { containerId, netns, ifname, args } = attachment;
	return {
		CNI_COMMAND: command,
		CNI_CONTAINERID: containerId,
		CNI_NETNS: netns,
		CNI_IFNAME: ifname,
		CNI_ARGS: Object.entries(args)
			.map(([key, value]) => `${key}=${value}`)
			.join(';'),
		CNI_PATH: binDir,
	};
}

function parse(output: string): unknown {
	try {
		return JSON.parse(output);
	} catch {
		return undefined;
	}
}
