import { CodedError, messageOf } from '@tapestry/base';
import {
	callbackPath,
	type GrpcMethod,
	grpcError,
	grpcStatus,
	type HookInfo,
	hookVersions,
	infoPath,
	readCloudInit,
	readDefineDomain,
	writeCloudInit,
	writeDefineDomain,
	writeInfo,
} from '@tapestry/host';
import { type DefineDomainOptions, defineDomain } from '../define-domain.ts';

export interface SidecarDeps {
	/** What is known of the pod's networks now. */
	readonly networkInfo: () => DefineDomainOptions['networkInfo'];
	/** The machine has ended. */
	readonly onShutdown: () => void;
}

/**
 * PreCloudInitIso is answered but not asked for: a launcher calls it on the first sidecar only that does, and we have nothing to say to it.
 */
const info: HookInfo = {
	name: 'tapestry',
	hookPoints: [
		{ name: 'OnDefineDomain', priority: 0 },
		{ name: 'Shutdown', priority: 0 },
	],
	versions: hookVersions,
};

/** The methods of a KubeVirt hook sidecar, by path. */
export function hookMethods(deps: SidecarDeps, options: Omit<DefineDomainOptions, 'networkInfo'>): Readonly<Record<string, GrpcMethod>> {
	const onDefineDomain: GrpcMethod = (request) => {
		const { domain, vmi } = readDefineDomain(request);
		const networkInfo = deps.networkInfo();
		const known = { ...options, ...(networkInfo ? { networkInfo } : {}) };
		return writeDefineDomain({ domain: Buffer.from(refusing(() => defineDomain(utf8(vmi), utf8(domain), known))) });
	};
	const preCloudInitIso: GrpcMethod = (request) => {
		const { noCloudSource, data } = readCloudInit(request);
		return writeCloudInit({ noCloudSource, data });
	};
	const shutdown: GrpcMethod = () => {
		deps.onShutdown();
		return new Uint8Array();
	};
	const methods: Record<string, GrpcMethod> = { [infoPath]: () => writeInfo(info) };
	for (const version of hookVersions) {
		methods[callbackPath(version, 'OnDefineDomain')] = onDefineDomain;
		if (version !== 'v1alpha1') methods[callbackPath(version, 'PreCloudInitIso')] = preCloudInitIso;
	}
	methods[callbackPath('v1alpha3', 'Shutdown')] = shutdown;
	return methods;
}

const utf8 = (bytes: Uint8Array): string => {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch (error) {
		throw grpcError(grpcStatus.invalidArgument, 'a text is not UTF-8', error);
	}
};

/** What a person has to mend reaches the instance's condition as the status' message. */
function refusing(work: () => string): string {
	try {
		return work();
	} catch (error) {
		if (error instanceof CodedError && error.code !== 'GRPC_STATUS') throw grpcError(grpcStatus.invalidArgument, messageOf(error), error);
		throw error;
	}
}
