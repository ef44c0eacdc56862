import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const guides = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file));
const documents = [...readdirSync(root), ...guides].filter((file) => file.endsWith('.md'));

/** What a document names of this tree: links, relative to it, and paths in code, relative to the root. */
function named(document: string): readonly string[] {
	const text = readFileSync(join(root, document), 'utf8');
	const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => join(dirname(document), link));
	const paths = [...text.matchAll(/`((?:packages|docs|test|bench|scripts|examples|deploy)\/[\w./-]+)`/g)].map(([, path = '']) => path);
	return [...links, ...paths];
}

it.each(documents)('%s names only what is there', (document) => {
	expect(named(document).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
