import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const packagesDir = join(root, 'packages');

/** May import: what stands to the right. A package that is missing here fails the first test. */
const layers: Readonly<Record<string, readonly string[]>> = {
	base: [],
	host: ['base'],
	network: ['base'],
	linux: ['base'],
	kube: ['base'],
	ovsdb: ['base', 'network'],
	apiserver: ['base', 'host', 'kube'],
	controller: ['base', 'host', 'network', 'ovsdb', 'kube'],
	agent: ['base', 'host', 'network', 'ovsdb', 'kube', 'linux'],
	lab: ['base', 'host', 'network', 'ovsdb', 'kube', 'linux'],
	cli: ['base', 'host', 'network', 'ovsdb', 'kube', 'lab'],
};
const pure = ['base', 'network'];
const packages = readdirSync(packagesDir);

interface Source {
	readonly file: string;
	readonly pkg: string;
	readonly text: string;
	readonly isTest: boolean;
}

const sources: readonly Source[] = packages.flatMap((pkg) =>
	readdirSync(join(packagesDir, pkg, 'src'), { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.ts'))
		.map((file) => {
			const path = join(packagesDir, pkg, 'src', file);
			const isTest = /\.test\.ts$|(^|\/)testing\//.test(file);
			return { file: relative(root, path), pkg, text: readFileSync(path, 'utf8'), isTest };
		}),
);
const production = sources.filter(({ isTest }) => !isTest);
const offenders = (among: readonly Source[], pattern: RegExp) => among.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

describe('packages', () => {
	it('are all placed in a layer', () => {
		expect([...packages].sort()).toEqual(Object.keys(layers).sort());
	});

	it.each(packages)('%s depends only on lower layers, and its references are its dependencies', (pkg) => {
		const read = (file: string) => JSON.parse(readFileSync(join(packagesDir, pkg, file), 'utf8'));
		const dependencies = Object.keys(read('package.json').dependencies ?? {})
			.filter((name) => name.startsWith('@tapestry/'))
			.map((name) => name.slice('@tapestry/'.length));
		expect(layers[pkg]).toEqual(expect.arrayContaining(dependencies));
		const references = (read('tsconfig.json').references as { path: string }[]).map(({ path }) => path.slice('../'.length));
		expect(references.sort()).toEqual(dependencies.sort());
	});

	it('import each other by name, never by path', () => {
		expect(
			offenders(production, /from '(\.\.\/)+(packages\/)?(base|host|network|ovsdb|kube|apiserver|linux|controller|agent|lab|cli)\/src/),
		).toEqual([]);
	});

	it.each(pure)('%s is pure: no node modules, clock or randomness', (pkg) => {
		const own = production.filter((source) => source.pkg === pkg);
		expect(offenders(own, /from 'node:|Date\.now|new Date\(\)|Math\.random|performance\.now|crypto\.random/)).toEqual([]);
	});
});

describe('sources', () => {
	it('have at most 400 lines', () => {
		const long = sources.filter(({ file, text }) => !file.endsWith('.generated.ts') && text.split('\n').length > 401);
		expect(long.map(({ file }) => file)).toEqual([]);
	});

	it('read the environment and exit only in main.ts', () => {
		const others = production.filter(({ file }) => !/(^|\/)main\.ts$|packages\/host\//.test(file));
		expect(offenders(others, /process\.(env|argv|exit\()/)).toEqual([]);
	});

	it('name koffi in one file only', () => {
		expect(offenders(sources, /from 'koffi'/)).toEqual(['packages/linux/src/sys.ts']);
	});

	it('do not import each other in a circle', () => {
		expect(circle(new Map(sources.map((source) => [source.file, importsOf(source)])))).toEqual([]);
	});

	it('hold no path of a workplace and no registry host', () => {
		const words = new RegExp(['/wo' + 'rk/', 'registry\\.npm' + 'js', 'deb\\.deb' + 'ian'].join('|'));
		expect(offenders(sources, words)).toEqual([]);
	});
});

/** The files beside it that a file names, those of which only types are used among them. */
function importsOf({ file, text }: Source): readonly string[] {
	return [...text.matchAll(/^(?:import|export) [^;]*?from '(\.[^']+)'/gm)].map(([, path = '']) => join(dirname(file), path));
}

/** The files of one circle, in its order; empty when there is none. */
function circle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
	const seen = new Set<string>();
	const visit = (file: string, way: readonly string[]): readonly string[] => {
		if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
		if (seen.has(file)) return [];
		seen.add(file);
		for (const next of imports.get(file) ?? []) {
			const found = visit(next, [...way, file]);
			if (found.length > 0) return found;
		}
		return [];
	};
	for (const file of imports.keys()) {
		const found = visit(file, []);
		if (found.length > 0) return found;
	}
	return [];
}
