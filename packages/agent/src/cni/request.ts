import type { PluginCall } from './call.ts';
import { CniError, cniCodes } from './error.ts';
import { type CniVersion, isSupported, supportedVersions } from './version.ts';

export const commands = ['ADD', 'DEL', 'CHECK', 'STATUS', 'VERSION', 'GC'] as const;
export type Command = (typeof commands)[number];

/** The network configuration (CNI specification 1.1, section 1 and 3), as far as it matters here. */
export interface NetworkConfig {
	readonly cniVersion: CniVersion;
	readonly name: string;
	/** Kube-OVN: which provider's subnets the interface is from; `ovn` is the pod network. */
	readonly provider: string;
	readonly prevResult: Readonly<Record<string, unknown>> | undefined;
	/** The device that kubelet allotted to the interface; Multus puts it here (`deviceID`). */
	readonly deviceId: string | undefined;
	/** GC: what must stay. */
	readonly validAttachments: readonly { readonly containerId: string; readonly ifname: string }[];
	readonly disableGc: boolean;
}

export interface AttachmentParameters {
	readonly containerId: string;
	readonly ifname: string;
	/** Empty when the runtime no longer has the namespace (DEL). */
	readonly netns: string;
	readonly args: Readonly<Record<string, string>>;
}

export function parseCommand(call: PluginCall): Command {
	const command = call.env.CNI_COMMAND ?? '';
	if (!(commands as readonly string[]).includes(command)) {
		throw new CniError(cniCodes.environment, `CNI_COMMAND is "${command}"`, `one of ${commands.join(', ')} is needed`);
	}
	return command as Command;
}

/** Throws CNI codes 6 (not JSON), 1 (version) and 7 (anything else). */
export function parseConfig(stdin: string): NetworkConfig {
	const conf = parseObject(stdin);
	const version = versionOf(conf);
	if (!isSupported(version)) {
		throw new CniError(
			cniCodes.incompatibleVersion,
			`CNI version "${version}" is not supported`,
			`supported: ${supportedVersions.join(', ')}`,
		);
	}
	const name = conf.name;
	if (typeof name !== 'string' || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
		throw new CniError(cniCodes.invalidConfig, 'the network configuration has no valid "name"', `it is ${JSON.stringify(name)}`);
	}
	const prevResult = conf.prevResult;
	if (prevResult !== undefined && !isObject(prevResult)) throw new CniError(cniCodes.decode, '"prevResult" is not an object');
	return {
		cniVersion: version,
		name,
		provider: typeof conf.provider === 'string' && conf.provider !== '' ? conf.provider : 'ovn',
		prevResult,
		deviceId: deviceIdOf(conf),
		validAttachments: parseValidAttachments(conf['cni.dev/valid-attachments']),
		disableGc: conf.disableGC === true,
	};
}

/** The version that a configuration asks for, whatever else is wrong with it; an error answer carries it. */
export function requestedVersion(stdin: string): string | undefined {
	try {
		return versionOf(parseObject(stdin));
	} catch {
		return undefined;
	}
}

/** Throws CNI code 4 (CNI specification 1.1, section 2, "Parameters"). */
export function parseAttachment(call: PluginCall, options: { readonly netnsRequired: boolean }): AttachmentParameters {
	const { env } = call;
	const containerId = env.CNI_CONTAINERID ?? '';
	if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(containerId)) throw bad('CNI_CONTAINERID', containerId);
	const ifname = env.CNI_IFNAME ?? '';
	// As the kernel's dev_valid_name(): at most 15 bytes, no blank, no `/` and no `:`.
	if (!/^[^\s/:]{1,15}$/.test(ifname) || Buffer.byteLength(ifname) > 15 || ifname === '.' || ifname === '..')
		throw bad('CNI_IFNAME', ifname);
	const netns = env.CNI_NETNS ?? '';
	if (options.netnsRequired && netns === '') throw bad('CNI_NETNS', netns);
	return { containerId, ifname, netns, args: parseArgs(env.CNI_ARGS ?? '') };
}

/** Multus passes it both ways: in the configuration itself and, to plugins that declare the capability, in `runtimeConfig`. */
function deviceIdOf({ deviceID, runtimeConfig }: Readonly<Record<string, unknown>>): string | undefined {
	const id = deviceID ?? (isObject(runtimeConfig) ? runtimeConfig.deviceID : undefined);
	return typeof id === 'string' && id !== '' ? id : undefined;
}

function parseArgs(text: string): Readonly<Record<string, string>> {
	const args: Record<string, string> = {};
	for (const part of text.split(';').filter((entry) => entry !== '')) {
		const at = part.indexOf('=');
		if (at <= 0) throw bad('CNI_ARGS', text);
		args[part.slice(0, at)] = part.slice(at + 1);
	}
	return args;
}

function parseValidAttachments(value: unknown): NetworkConfig['validAttachments'] {
	if (value === undefined || value === null) return [];
	if (!Array.isArray(value)) throw new CniError(cniCodes.decode, '"cni.dev/valid-attachments" is not a list');
	return value.map((entry: unknown) => {
		const { containerID, ifname } = isObject(entry) ? entry : {};
		// An entry that is not understood would be removed by mistake.
		if (typeof containerID !== 'string' || typeof ifname !== 'string') {
			throw new CniError(cniCodes.decode, 'an entry of "cni.dev/valid-attachments" has no containerID or ifname');
		}
		return { containerId: containerID, ifname };
	});
}

function parseObject(stdin: string): Readonly<Record<string, unknown>> {
	let value: unknown;
	try {
		value = JSON.parse(stdin);
	} catch (error) {
		throw new CniError(cniCodes.decode, 'standard input is not JSON', error instanceof Error ? error.message : '');
	}
	if (!isObject(value)) throw new CniError(cniCodes.decode, 'standard input is not a JSON object');
	return value;
}

/** CNI specification 0.1.0 has the field optional. */
function versionOf(conf: Readonly<Record<string, unknown>>): string {
	const version = conf.cniVersion;
	return version === undefined || version === '' ? '0.1.0' : String(version);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const bad = (name: string, value: string): CniError =>
	new CniError(cniCodes.environment, `${name} is missing or malformed`, `it is "${value}"`);
