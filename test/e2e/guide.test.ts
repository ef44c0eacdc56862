import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute } from '@tapestry/lab';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deleteYaml, deps, sharedLab } from './harness/lab.ts';
import { settled } from './harness/settled.ts';

/**
 * Runs the guide as a reader would, top to bottom: ```yaml NAME is saved under its name, ```sh is run and has to succeed. Samples of output
 * (```console) and pictures are not run. A reader takes longer from one block to the next than the network needs to follow; here that is waited for.
 */
const root = join(import.meta.dirname, '..', '..');
const guide = join(root, 'docs', 'guide');
const pages = readdirSync(guide).filter((name) => name.endsWith('.md'));

interface Block {
	readonly language: string;
	/** The file's name, of YAML. */
	readonly name: string;
	readonly text: string;
	readonly line: number;
}

function blocksOf(page: string): readonly Block[] {
	const text = readFileSync(join(guide, page), 'utf8');
	return [...text.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$/gm)].map(([, language = '', name = '', body = ''], i, all) => ({
		language,
		name,
		text: body,
		line: text.slice(0, all[i]?.index).split('\n').length,
	}));
}

/** The reader has one lab, named `lab`, and npm; here the lab has another name, and npm's own start is not what is tested. */
function forThisLab(command: string): string {
	const { id, dir } = sharedLab();
	const main = join(root, 'packages/cli/src/main.ts');
	return command
		.replaceAll(/npm run (?:-s )?lab -- (\w+)/g, `'${process.execPath}' '${main}' lab $1 --name ${id}`)
		.replaceAll(/npm run (?:-s )?tapestry -- (show port|why)/g, `'${process.execPath}' '${main}' $1 --name ${id}`)
		.replaceAll('/var/lib/tapestry/lab/', `${dir}/`);
}

describe.each(pages)('docs/guide/%s', (page) => {
	const blocks = blocksOf(page);
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'tapestry-guide-'));
		symlinkSync(join(root, 'examples'), join(dir, 'examples'));
	});
	afterEach(async () => {
		// The page clears up by itself; a failed one does not get there.
		for (const { language, text } of blocks) if (language === 'yaml') await deleteYaml(text);
		rmSync(dir, { recursive: true });
	});

	it('works as written', { timeout: 600_000 }, async () => {
		expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThan(0);
		let hasChanged = false;
		for (const { language, name, text, line } of blocks) {
			if (language === 'yaml') writeFileSync(join(dir, name), text);
			if (language !== 'sh') continue;
			if (hasChanged) await settled();
			hasChanged = /kubectl (apply|patch|annotate|delete)/.test(text);
			const argv = ['env', '-C', dir, 'sh', '-eu', '-c', forThisLab(text)];
			const { status, stdout, stderr } = await execute(deps, { argv, env: { KUBECONFIG: sharedLab().kubeconfig }, timeoutMs: 240_000 });
			expect({ at: `${page}:${line}`, status, output: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({
				at: `${page}:${line}`,
				status: 0,
				output: '',
			});
		}
	});
});
