import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

// The kubectls that the interop tests run: Debian 12's old one, and a recent one. Both are unpacked below .cache, nothing is installed.

export interface Kubectl {
	/** `1.20.2` */
	readonly version: string;
	readonly path: string;
}

const run = promisify(execFile);
const tools = join(import.meta.dirname, '..', '.cache', 'tools');
const stableVersion = '1.20.2';
const nextVersion = '1.32';
/** What 1.27 brought: validation by /openapi/v3, aggregated discovery. */
const recentMinor = 27;

/** Both, the older one first. Downloads what is missing through apt. */
export async function kubectlBinaries(): Promise<Kubectl[]> {
	const old = await cached(stableVersion, async (directory) => unpack('kubernetes-client', directory, []));
	return [old, (await installed()) ?? (await cached(nextVersion, unpackNext))];
}

async function installed(): Promise<Kubectl | undefined> {
	try {
		const version = await versionOf('kubectl');
		return Number(version.split('.')[1]) >= recentMinor ? { version, path: 'kubectl' } : undefined;
	} catch {
		return undefined;
	}
}

async function versionOf(path: string): Promise<string> {
	const { stdout } = await run(path, ['version', '--client', '-o', 'json']);
	const { clientVersion } = JSON.parse(stdout) as { clientVersion: { gitVersion: string } };
	return /^v(\d+\.\d+\.\d+)/.exec(clientVersion.gitVersion)?.[1] ?? '';
}

/** Test files run at the same time: each unpacks for itself, and the first one's result is kept. */
async function cached(version: string, unpackInto: (directory: string) => Promise<string>): Promise<Kubectl> {
	const path = join(tools, `kubectl-${version}`, 'kubectl');
	if (!existsSync(path)) {
		const directory = await mkdtemp(join(tmpdir(), 'kubectl-'));
		try {
			const binary = await unpackInto(directory);
			await mkdir(join(tools, `kubectl-${version}`), { recursive: true });
			await copyFile(binary, `${path}.${process.pid}`);
			await rename(`${path}.${process.pid}`, path);
		} finally {
			await rm(directory, { recursive: true, force: true });
		}
	}
	return { version: await versionOf(path), path };
}

/** Downloads a package and unpacks it below `directory`; returns the path of its kubectl. */
async function unpack(name: string, directory: string, aptOptions: readonly string[]): Promise<string> {
	await run('apt-get', [...aptOptions, '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: directory });
	const archive = (await readdir(directory)).find((file) => file.startsWith(`${name}_`));
	if (archive === undefined) throw new Error(`apt-get download ${name} left no package in ${directory}`);
	await run('dpkg-deb', ['-x', join(directory, archive), join(directory, 'root')]);
	return join(directory, 'root', 'usr', 'bin', 'kubectl');
}

/** From the release after this machine's, by an apt configuration of its own: the machine's sources with the next code name. */
async function unpackNext(directory: string): Promise<string> {
	const parts = join(directory, 'parts');
	for (const name of ['parts', 'lists/partial', 'cache/archives/partial']) await mkdir(join(directory, name), { recursive: true });
	const [stanzas, lines] = await nextSources();
	await writeFile(join(parts, 'next.sources'), stanzas);
	await writeFile(join(parts, 'next.list'), lines);
	const options = Object.entries({
		'Dir::Etc::sourcelist': '/dev/null',
		'Dir::Etc::sourceparts': parts,
		'Dir::State::lists': join(directory, 'lists'),
		'Dir::State::status': '/dev/null',
		'Dir::Cache': join(directory, 'cache'),
	}).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
	await run('apt-get', [...options, '-o', 'APT::Sandbox::User=root', 'update']);
	return unpack('kubectl', directory, options);
}

const [current, next] = ['bookworm', 'trixie'];

/** The machine's Debian sources in both of apt's notations (sources.list(5)), for the next release; other vendors' are left out. */
async function nextSources(): Promise<[stanzas: string, lines: string]> {
	const directory = '/etc/apt/sources.list.d';
	const files = (await readdir(directory)).map((name) => join(directory, name));
	const read = async (ending: string, more: readonly string[]): Promise<string> => {
		const texts = [...files.filter((file) => file.endsWith(ending)), ...more.filter((file) => existsSync(file))].map((file) =>
			readFile(file, 'utf8'),
		);
		return (await Promise.all(texts)).join('\n\n');
	};
	const stanzas = (await read('.sources', [])).split(/\n\s*\n/).filter((stanza) => new RegExp(`^Suites:\\s*${current}`, 'm').test(stanza));
	const lines = (await read('.list', ['/etc/apt/sources.list']))
		.split('\n')
		.filter((line) => new RegExp(`^deb\\s.*\\s${current}\\S*\\s`).test(line));
	const renamed = (text: string): string => text.replaceAll(current, next);
	return [renamed(stanzas.join('\n\n')), renamed(lines.join('\n'))];
}
