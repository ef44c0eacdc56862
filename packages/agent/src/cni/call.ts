/** A call of the plugin as it arrives: its environment and standard input. */
export interface PluginCall {
	readonly env: Readonly<Record<string, string>>;
	readonly stdin: string;
}

/** What the plugin prints and whether it exits with 0. */
export interface PluginAnswer {
	readonly ok: boolean;
	readonly body: string;
}

/** Where the agent listens when the configuration names no `server_socket`: Kube-OVN's path, so that its configurations work. */
export const defaultSocket = '/run/openvswitch/kube-ovn-daemon.sock';

/*
 * One HTTP request on the agent's unix socket is one call: `POST /cni` with the environment (`NAME=value`, a NUL after each, an empty entry at the end)
 * and then the standard input as the body. The body of the answer is the standard output; status 200 stands for exit status 0 and 500 for 1. The answer
 * carries Content-Length, so that one cut short is not taken for a whole one.
 */

export function encodeCall(call: PluginCall): Buffer {
	const env = Object.entries(call.env).map(([name, value]) => `${name}=${value}\0`);
	return Buffer.from(`${env.join('')}\0${call.stdin}`);
}

/** Undefined when the environment is not closed by an empty entry: that is no call. */
export function decodeCall(body: Buffer): PluginCall | undefined {
	const env: Record<string, string> = {};
	let offset = 0;
	for (;;) {
		const end = body.indexOf(0, offset);
		if (end < 0) return undefined;
		const entry = body.toString('utf8', offset, end);
		offset = end + 1;
		if (entry === '') return { env, stdin: body.toString('utf8', offset) };
		const at = entry.indexOf('=');
		if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1);
	}
}
