import { readFileSync } from 'node:fs';

/** KubeVirt's file of the pod's annotation `kubevirt.io/network-info`, the part that is read. */
export interface NetworkInfo {
	readonly interfaces?: readonly { readonly network: string; readonly mac?: string; readonly mtu?: number }[];
}

export const networkInfoFile = '/etc/podinfo/network-info';

/** Undefined where there is none: it needs downwardAPI: device-info of the binding, and is empty until KubeVirt has written the annotation. */
export function readNetworkInfo(path: string): NetworkInfo | undefined {
	try {
		return JSON.parse(readFileSync(path, 'utf8')) as NetworkInfo;
	} catch {
		return undefined;
	}
}
