import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '@tapestry/base';
import type { NetworkConfiguration, PluginConfiguration } from './types.ts';

/**
 * The network configuration of a node: the file that sorts first among `.conf`, `.conflist` and `.json`, as container runtimes choose it.
 * @throws CNI_CONFIGURATION when there is none or it is not usable
 */
export function readNetworkConfiguration(directory: string): NetworkConfiguration {
	const file = listFiles(directory).sort()[0];
	if (file === undefined) {
		throw new CodedError('CNI_CONFIGURATION', {
			what: 'pods cannot get a network',
			why: `there is no CNI configuration in ${directory}`,
			fix: 'install a network plugin',
		});
	}
	return parseNetworkConfiguration(readFileSync(join(directory, file), 'utf8'), file);
}

/** @param file names the source in errors; a `.conflist` holds a list, any other a single plugin */
export function parseNetworkConfiguration(text: string, file: string): NetworkConfiguration {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw invalid(file, messageOf(cause), cause);
	}
	const { cniVersion = '0.1.0', name, plugins, ...rest } = value as Partial<NetworkConfiguration> & Partial<PluginConfiguration>;
	if (typeof name !== 'string' || name === '') throw invalid(file, 'it has no name');
	const list = file.endsWith('.conflist') ? plugins : [rest as PluginConfiguration];
	if (!Array.isArray(list) || list.length === 0) throw invalid(file, 'it has no plugins');
	if (list.some(({ type }) => typeof type !== 'string' || type === '' || type.includes('/'))) throw invalid(file, 'a plugin has no type');
	return { cniVersion, name, plugins: list };
}

function listFiles(directory: string): string[] {
	try {
		return readdirSync(directory).filter((name) => /\.(conf|conflist|json)$/.test(name));
	} catch {
		return [];
	}
}

function invalid(file: string, why: string, cause?: unknown): CodedError {
	return new CodedError('CNI_CONFIGURATION', { what: `the CNI configuration ${file} cannot be used`, why }, { cause });
}
