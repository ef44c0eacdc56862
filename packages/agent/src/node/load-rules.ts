import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { CodedError } from '@tapestry/base';

export interface RuleLoaderOptions {
	/** Where the transaction is written; it stays there for people. nft cannot open a socket, which is what a child's standard input is here. */
	readonly file: string;
	/** Put before the command, in tests. */
	readonly prefix?: readonly string[];
}

/** Loads nftables transactions in JSON with nft(8). The function throws AGENT_NFT with nft's own words. */
export function createRuleLoader({ file, prefix = [] }: RuleLoaderOptions): (json: string) => Promise<void> {
	return (json) => {
		writeFileSync(file, json);
		const [program = 'nft', ...args] = [...prefix, 'nft', '-j', '-f', file];
		const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
		const words: Buffer[] = [];
		child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
		return new Promise((resolve, reject) => {
			child.on('error', (cause) => reject(new CodedError('AGENT_NFT', 'nft cannot be run', { cause })));
			child.on('close', (status) => {
				if (status === 0) resolve();
				else
					reject(new CodedError('AGENT_NFT', { what: 'nft refused the rules of the node', why: Buffer.concat(words).toString().trim() }));
			});
		});
	};
}
