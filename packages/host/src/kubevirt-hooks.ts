import { bytesField, bytesFields, int32Field, joinBytes, readMessage, writeBytes, writeInt32 } from './grpc/protobuf.ts';

// KubeVirt's hook sidecar API (kubevirt/pkg/hooks: info/api_info.proto, v1alpha1..3/api_v1alpha*.proto). The messages of one name are the same
// in all versions.

/** Newest first: a launcher uses the first that both sides know. */
export const hookVersions = ['v1alpha3', 'v1alpha2', 'v1alpha1'] as const;
export type HookVersion = (typeof hookVersions)[number];
export type HookPointName = 'OnDefineDomain' | 'PreCloudInitIso' | 'Shutdown';

export interface HookPoint {
	readonly name: string;
	readonly priority: number;
}

export interface HookInfo {
	readonly name: string;
	readonly hookPoints: readonly HookPoint[];
	readonly versions: readonly string[];
}

export const infoPath = '/kubevirt.hooks.info.Info/Info';
export const callbackPath = (version: HookVersion, point: HookPointName): string => `/kubevirt.hooks.${version}.Callbacks/${point}`;

/** Where launcher and sidecars have their sockets. */
export const hookDirectory = '/var/run/kubevirt-hooks';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function writeInfo({ name, hookPoints, versions }: HookInfo): Uint8Array {
	const points = hookPoints.map((point) => writeBytes(3, joinBytes(writeBytes(1, point.name), writeInt32(2, point.priority))));
	return joinBytes(writeBytes(1, name), ...points, ...versions.map((version) => writeBytes(4, version)));
}

export function readInfo(bytes: Uint8Array): HookInfo {
	const fields = readMessage(bytes);
	const hookPoints = bytesFields(fields, 3).map((point) => {
		const members = readMessage(point);
		return { name: text(bytesField(members, 1)), priority: int32Field(members, 2) };
	});
	return { name: text(bytesField(fields, 1)), hookPoints, versions: bytesFields(fields, 4).map(text) };
}

/** OnDefineDomainParams; the result is the same with `domain` alone. */
export interface DefineDomain {
	readonly domain: Uint8Array;
	/** The VirtualMachineInstance as JSON. */
	readonly vmi: Uint8Array;
}

export function writeDefineDomain({ domain, vmi }: Partial<DefineDomain>): Uint8Array {
	return joinBytes(writeBytes(1, domain ?? ''), writeBytes(2, vmi ?? ''));
}

export function readDefineDomain(bytes: Uint8Array): DefineDomain {
	const fields = readMessage(bytes);
	return { domain: bytesField(fields, 1), vmi: bytesField(fields, 2) };
}

/** PreCloudInitIsoParams; the result has no `vmi`. */
export interface CloudInit {
	/** JSON of the older clients. */
	readonly noCloudSource: Uint8Array;
	readonly vmi: Uint8Array;
	/** JSON of CloudInitData. */
	readonly data: Uint8Array;
}

export function writeCloudInit({ noCloudSource, vmi, data }: Partial<CloudInit>): Uint8Array {
	return joinBytes(writeBytes(1, noCloudSource ?? ''), writeBytes(2, vmi ?? ''), writeBytes(3, data ?? ''));
}

export function readCloudInit(bytes: Uint8Array): CloudInit {
	const fields = readMessage(bytes);
	return { noCloudSource: bytesField(fields, 1), vmi: bytesField(fields, 2), data: bytesField(fields, 3) };
}
