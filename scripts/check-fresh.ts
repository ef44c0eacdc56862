import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * `npm run check:fresh [-- [--keep] [-- COMMAND...]]`: proves the set-up on a Debian 12 that has seen nothing of this project. Makes a new
 * root with mmdebstrap (bookworm, main only, nothing but what every Debian has), brings in Node and npm as a user would have them, clones the committed
 * tree and does there what a newcomer does (or COMMAND). The kernel, /dev and the network stay this machine's: a fresh root, not a fresh machine.
 */
const { values, positionals } = parseArgs({ options: { keep: { type: 'boolean', default: false } }, allowPositionals: true });
const command = positionals.length > 0 ? positionals : ['sh', '-c', 'npm start && npm run lab -- down && npm test'];
const checkout = join(import.meta.dirname, '..');
const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => abort.abort());

/** Settings of this machine without which nothing can be downloaded here; they name files that must be there too. */
const network = Object.fromEntries(
	Object.entries(process.env).filter(
		([name, value]) =>
			value && /^(npm_config_(registry|cafile|(https_)?proxy|noproxy)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
	),
);

const base = mkdtempSync(join(tmpdir(), 'tapestry-fresh-'));
// apt downloads as a user of its own.
chmodSync(base, 0o755);
const root = join(base, 'root');
try {
	if (!existsSync('/usr/bin/mmdebstrap')) {
		await run(['apt-get', '-q', 'update']);
		await run(['apt-get', '-q', 'install', '-y', '--no-install-recommends', 'mmdebstrap']);
	}
	await run(['mmdebstrap', '--variant=minbase', 'bookworm', root, mirror()]);
	bringNetwork();
	bringNode();
	await run(['git', 'clone', '-q', checkout, join(root, 'root', 'tapestry')]);
	await runInside(command);
	process.stdout.write('check:fresh: passed\n');
} catch (error) {
	process.stderr.write(`check:fresh: ${abort.signal.aborted ? 'interrupted' : (error as Error).message}\n`);
	process.exitCode = 1;
} finally {
	if (values.keep) process.stdout.write(`kept: ${root}\n`);
	// What was killed a moment ago may still hold files.
	else rmSync(base, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** The mirror that this machine itself installs from. */
function mirror(): string {
	const directory = '/etc/apt/sources.list.d';
	const listed = existsSync(directory) ? readdirSync(directory).filter((name) => /\.(list|sources)$/.test(name)) : [];
	const files = ['/etc/apt/sources.list', ...listed.map((name) => join(directory, name))].filter((file) => existsSync(file));
	for (const stanza of files.flatMap((file) => readFileSync(file, 'utf8').split(/\n\s*\n|\n(?=deb\s)/))) {
		const found = /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s+)?)(https?:\S+)/m.exec(stanza)?.[1];
		if (found && /\sbookworm\s/.test(stanza)) return found;
	}
	throw new Error('this machine has no Debian 12 package source to make a root from');
}

/** Name resolution, and the certificates that this machine's network is trusted by. */
function bringNetwork(): void {
	const certificates = Object.entries(network).filter(([name]) => /cafile|ca_certs/i.test(name));
	for (const file of ['/etc/resolv.conf', '/etc/hosts', ...certificates.map(([, file = '']) => file)]) {
		if (existsSync(file)) cpSync(file, join(root, file), { dereference: true });
	}
}

/** This machine's own Node and npm, not the pinned ones: what a user starts with. */
function bringNode(): void {
	const path = (process.env.PATH ?? '').split(':').filter((dir) => !dir.startsWith(checkout));
	const node = path.map((dir) => join(dir, 'node')).find((file) => existsSync(file));
	const npm = process.env.npm_execpath;
	if (!node || !npm) throw new Error('run it as `npm run check:fresh`, with node in PATH');
	cpSync(node, join(root, 'usr/bin/node'), { dereference: true });
	cpSync(dirname(dirname(npm)), join(root, 'usr/lib/node_modules/npm'), { recursive: true, dereference: true });
	writeFileSync(join(root, 'usr/bin/npm'), '#!/bin/sh\nexec node /usr/lib/node_modules/npm/bin/npm-cli.js "$@"\n', { mode: 0o755 });
}

/**
 * Namespaces for mounts and processes: both go with the command, whatever it leaves behind. Not a chroot, which whoever enters a mount namespace
 * of a lab's node would leave. The shell stays as init, to reap orphans.
 */
function runInside(argv: readonly string[]): Promise<void> {
	const enter = `mount --bind "$1" "$1" && cd "$1" && shift && mount -t proc proc proc && mount --rbind /sys sys && mount --rbind /dev dev &&
		pivot_root . mnt && exec chroot . sh -c 'umount --lazy /mnt && cd /root/tapestry; "$@"; exit $?' sh "$@"`;
	const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
	return run(['unshare', ...namespaces, 'sh', '-c', enter, 'sh', root, ...argv]);
}

async function run(argv: readonly string[]): Promise<void> {
	const [program = '', ...args] = argv;
	const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
	const child = spawn(program, args, {
		stdio: ['ignore', 'inherit', 'inherit'],
		env: { ...environment, ...network },
		signal: abort.signal,
		// unshare holds off a gentler signal until its child ends; its death is the child's (--kill-child).
		killSignal: program === 'unshare' ? 'SIGKILL' : 'SIGTERM',
	});
	const exited = once(child, 'exit') as Promise<[number | null]>;
	// An abort reports an error at once; the directory is not free before the process is gone.
	child.on('error', () => {});
	const [status] = await exited.catch(async (error: unknown) => {
		if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
		throw error;
	});
	if (status !== 0) throw new Error(`${argv.slice(0, 2).join(' ')} ended with status ${status}`);
}
