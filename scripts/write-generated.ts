import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Writes a file of the tree that `script` generates; with `--check` fails when the one that is there is stale. */
export function writeGenerated(file: string, script: string, text: string): void {
	const target = join(root, file);
	if (!process.argv.includes('--check')) {
		writeFileSync(target, text);
		return;
	}
	if (readFileSync(target, { encoding: 'utf8', flag: 'a+' }) === text) return;
	process.stderr.write(`${file} is stale: run node scripts/${script}\n`);
	process.exitCode = 1;
}
