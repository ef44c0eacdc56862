import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeGenerated } from './write-generated.ts';

/** Writes docs/reference/errors.md: every code that a CodedError is made with, and where. `--check` fails when the file is stale. */
const root = join(import.meta.dirname, '..');

interface Use {
	readonly code: string;
	readonly file: string;
	readonly what: string;
}

const sources = readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })
	.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('node_modules') && !file.includes('testing'))
	.map((file) => join(root, 'packages', file))
	.sort();

/** `new CodedError('CODE', { what: '...'` or `new CodedError('CODE', '...'`: code and the first text, as it stands in the source. */
const pattern = /'([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)',\s*(?:\{\s*what:\s*)?([`'"])((?:\\.|(?!\2)[\s\S])*)\2/g;

const uses: Use[] = sources.flatMap((file) =>
	[...readFileSync(file, 'utf8').matchAll(pattern)]
		.map(([, code = '', , what = '']) => ({ code, what: what.replaceAll(/\s+/g, ' '), file: relative(root, file) }))
		// Two constants in a row are no error.
		.filter(({ what }) => what.includes(' ')),
);
const codes = [...new Set(uses.map(({ code }) => code))].sort();
const lines = [
	'# Error codes',
	'',
	'Generated from the sources by `scripts/generate-errors-docs.ts`. Every error says what happened, why, and how to fix it; the code is stable.',
	'',
	'| code | what | raised in |',
	'|---|---|---|',
	...codes.map((code) => {
		const mine = uses.filter((use) => use.code === code);
		const what = [...new Set(mine.map((use) => use.what))]
			.slice(0, 3)
			.map((text) => text.replaceAll('|', '\\|'))
			.join('; ');
		const files = [...new Set(mine.map(({ file }) => `\`${file}\``))].join(', ');
		return `| \`${code}\` | ${what} | ${files} |`;
	}),
	'',
];
writeGenerated('docs/reference/errors.md', 'generate-errors-docs.ts', lines.join('\n'));
