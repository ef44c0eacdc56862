import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf } from '@tapestry/base';
import { type ProcessDeps, run } from '../process.ts';

const checkout = join(import.meta.dirname, '..', '..', '..', '..');

/** What set-up builds goes here; `.cache` is not part of the repository. */
export const cacheDir = join(checkout, '.cache');

/** Builds the CNI plugin's native host, once per content of its source; the path of the executable. @throws SETUP_PLUGIN */
export async function buildPlugin(deps: ProcessDeps, signal?: AbortSignal): Promise<string> {
	const source = join(checkout, 'packages', 'agent', 'src', 'plugin', 'kube-ovn.c');
	const dir = join(cacheDir, 'plugin', createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16));
	const plugin = join(dir, 'kube-ovn');
	if (existsSync(plugin)) return plugin;
	mkdirSync(dir, { recursive: true });
	const partial = `${plugin}.${process.pid}`;
	try {
		await run(deps, ['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', partial, source], signal ? { signal } : {});
	} catch (cause) {
		throw new CodedError('SETUP_PLUGIN', { what: 'the CNI plugin could not be compiled', why: messageOf(cause) }, { cause });
	}
	// Another lab may build at the same time: whoever is last replaces an equal file.
	renameSync(partial, plugin);
	return plugin;
}
