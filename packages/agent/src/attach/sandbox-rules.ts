import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createRuleLoader } from '../node/load-rules.ts';

/** Carries out nftables commands (libnftables-json(5)) in a sandbox as one transaction. Throws AGENT_NFT. */
export type LoadSandboxRules = (netns: string, commands: readonly object[]) => Promise<void>;

/** @param options.dir for the transactions while nft reads them */
export function createSandboxRuleLoader({ dir }: { readonly dir: string }): LoadSandboxRules {
	return async (netns, commands) => {
		mkdirSync(dir, { recursive: true });
		const file = join(dir, `${createHash('sha256').update(netns).digest('hex').slice(0, 16)}.json`);
		try {
			await createRuleLoader({ file, prefix: ['nsenter', `--net=${netns}`] })(JSON.stringify({ nftables: commands }));
		} finally {
			rmSync(file, { force: true });
		}
	};
}

/** Removes tables that may or may not be there: adding one that is there is no error, deleting one that is not would be. */
export function tableRemoval(...tables: readonly { readonly family: string; readonly name: string }[]): readonly object[] {
	return tables.flatMap((table) => [{ add: { table } }, { delete: { table } }]);
}
