import { type CniDeps, cniInvoke } from './invoke.ts';
import type { CniAttachment, CniResult, NetworkConfiguration, PluginConfiguration } from './types.ts';

export interface NetworkCall {
	readonly binDir: string;
	readonly network: NetworkConfiguration;
	readonly attachment: CniAttachment;
	readonly signal?: AbortSignal;
}

/** Adds a sandbox to a network: each plugin gets the result of the one before it. CNI specification 1.1, section 3. @throws CNI_PLUGIN */
export async function addToNetwork(deps: CniDeps, { network, ...call }: NetworkCall): Promise<CniResult> {
	let result: CniResult | undefined;
	for (const plugin of network.plugins) {
		result = await cniInvoke(deps, { ...call, command: 'ADD', configuration: configurationFor(network, plugin, result) });
	}
	return result ?? {};
}

/** Removes it again, in reverse order. `result` is what the ADD gave, if it came so far. Succeeds when there is nothing to remove. @throws CNI_PLUGIN */
export async function removeFromNetwork(deps: CniDeps, { network, ...call }: NetworkCall, result?: CniResult): Promise<void> {
	for (const plugin of network.plugins.toReversed()) {
		await cniInvoke(deps, { ...call, command: 'DEL', configuration: configurationFor(network, plugin, result) });
	}
}

function configurationFor(
	{ cniVersion, name }: NetworkConfiguration,
	plugin: PluginConfiguration,
	prevResult: CniResult | undefined,
): PluginConfiguration {
	// Section 3, "Deriving request configuration": capabilities are for the runtime, not for the plugin.
	const { capabilities: _, ...own } = plugin;
	return { cniVersion, name, ...own, type: plugin.type, ...(prevResult ? { prevResult } : {}) };
}
