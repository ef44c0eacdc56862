/** One plugin's part of a network configuration; plugins read more fields of it. CNI specification 1.1, section 1. */
export interface PluginConfiguration {
	readonly type: string;
	readonly [field: string]: unknown;
}

/** A network configuration list. */
export interface NetworkConfiguration {
	readonly cniVersion: string;
	readonly name: string;
	readonly plugins: readonly PluginConfiguration[];
}

/** What ADD answers. Section 5, "Success"; the fields that the kubelet reads. */
export interface CniResult {
	readonly cniVersion?: string;
	readonly ips?: readonly { readonly address: string }[];
	readonly [field: string]: unknown;
}

/** Which sandbox a call is about. */
export interface CniAttachment {
	readonly containerId: string;
	/** Path of the network namespace. */
	readonly netns: string;
	readonly ifname: string;
	/** The pairs of CNI_ARGS. */
	readonly args: Readonly<Record<string, string>>;
}
