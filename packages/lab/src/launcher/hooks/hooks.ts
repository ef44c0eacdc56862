import { type Clock, CodedError, isCoded, messageOf } from '@tapestry/base';
import {
	callbackPath,
	callGrpc,
	type HookPointName,
	type HookVersion,
	hookVersions,
	infoPath,
	readCloudInit,
	readDefineDomain,
	readInfo,
	writeCloudInit,
	writeDefineDomain,
} from '@tapestry/host';

// What KubeVirt's launcher does with its hook sidecars (kubevirt/pkg/hooks, manager.go).

/** For every call: a sidecar that has just started may be slow with its first answer on a loaded node, where KubeVirt gives it one second. */
const callTimeout = 60_000;

interface Client {
	readonly socket: string;
	readonly version: HookVersion;
	readonly points: ReadonlySet<string>;
}

/** CloudInitData as JSON, and the older CloudInitNoCloudSource beside it. */
export interface CloudInitAnswer {
	readonly data: string;
	readonly noCloudSource: string;
}

export interface Hooks {
	/** The domain as all sidecars leave it, each given what the one before it made. */
	onDefineDomain(domain: string, vmi: string): Promise<string>;
	/** The first sidecar alone is asked. */
	preCloudInitIso(given: CloudInitAnswer, vmi: string): Promise<CloudInitAnswer>;
	/** After the machine's end. Failures change nothing any more. */
	shutdown(): Promise<void>;
}

/** Asks each sidecar who it is. Their order is that of the sockets. @throws VM_HOOK */
export async function collectHooks(clock: Clock, sockets: readonly string[]): Promise<Hooks> {
	const clients = await Promise.all(sockets.map((socket) => introduce(clock, socket)));
	const at = (point: HookPointName): readonly Client[] => clients.filter(({ points }) => points.has(point));
	const call = ({ socket, version }: Client, point: HookPointName, message: Uint8Array): Promise<Uint8Array> =>
		callGrpc(clock, { socket, path: callbackPath(version, point), message, timeoutMs: callTimeout }).catch((error: unknown) => {
			throw failed(point, error);
		});
	return {
		async onDefineDomain(domain, vmi) {
			let current = Buffer.from(domain);
			for (const client of at('OnDefineDomain')) {
				const answer = await call(client, 'OnDefineDomain', writeDefineDomain({ domain: current, vmi: Buffer.from(vmi) }));
				current = Buffer.from(readDefineDomain(answer).domain);
			}
			return current.toString();
		},
		async preCloudInitIso(given, vmi) {
			const [first] = at('PreCloudInitIso');
			if (!first) return given;
			const message = { data: Buffer.from(given.data), noCloudSource: Buffer.from(given.noCloudSource), vmi: Buffer.from(vmi) };
			const { data, noCloudSource } = readCloudInit(await call(first, 'PreCloudInitIso', writeCloudInit(message)));
			return { data: Buffer.from(data).toString(), noCloudSource: Buffer.from(noCloudSource).toString() };
		},
		async shutdown() {
			for (const client of at('Shutdown')) {
				if (client.version === 'v1alpha3') await call(client, 'Shutdown', new Uint8Array()).catch(() => {});
			}
		},
	};
}

async function introduce(clock: Clock, socket: string): Promise<Client> {
	let known: ReturnType<typeof readInfo>;
	try {
		known = readInfo(await callGrpc(clock, { socket, path: infoPath, message: new Uint8Array(), timeoutMs: callTimeout }));
	} catch (error) {
		throw failed('Info', error);
	}
	const version = hookVersions.find((candidate) => known.versions.includes(candidate));
	if (version === undefined) {
		throw new CodedError('VM_HOOK', {
			what: `hook sidecar ${known.name} cannot be used`,
			why: `it does not expose a supported version, only ${known.versions.join(', ') || 'none'}`,
			fix: `let it offer one of ${hookVersions.join(', ')}`,
		});
	}
	return { socket, version, points: new Set(known.hookPoints.map(({ name }) => name)) };
}

function failed(point: string, error: unknown): CodedError {
	const why = isCoded(error, 'GRPC_STATUS') ? error.text.why : messageOf(error);
	return new CodedError('VM_HOOK', { what: `a hook sidecar failed at ${point}`, why }, { cause: error });
}
