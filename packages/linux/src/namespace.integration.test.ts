import { execFile, execFileSync } from 'node:child_process';
import { closeSync, existsSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openRoute, setLink } from './link.ts';
import { listenInNamespace } from './listen.ts';
import { createNamespace, deleteNamespace, Namespace } from './namespace.ts';
import { type TestNamespace, testNamespace } from './testing/namespaces.ts';

describe('namespaces', () => {
	it('are entered for one synchronous action and left again, also when it throws', () => {
		using there = testNamespace('enter');
		const home = readlinkSync('/proc/thread-self/ns/net');
		const inside = there.namespace.run(() => readlinkSync('/proc/thread-self/ns/net'));
		expect(inside).toBe(`net:[${there.namespace.inode}]`);
		expect(inside).not.toBe(home);
		expect(() => there.namespace.run(() => JSON.parse('{'))).toThrow(SyntaxError);
		expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
	});

	it('are known to ip(8) by name, refuse to be made twice and are gone after deletion', () => {
		using there = testNamespace('name');
		expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).toContain(there.name);
		expect(() => createNamespace(there.path)).toThrow(/EEXIST/);
		deleteNamespace(there.path);
		expect(existsSync(there.path)).toBe(false);
		deleteNamespace(there.path);
	});

	it('can be removed although ip(8) was called for the first time after they were made', () => {
		const program = new URL('testing/first-namespace-program.ts', import.meta.url).pathname;
		const script = 'mount -t tmpfs tmpfs /run && exec "$@"';
		const command = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', process.execPath, program];
		expect(execFileSync('unshare', command, { encoding: 'utf8' })).toBe('[]');
	});

	it('live on while they are held open', () => {
		const there = testNamespace('held');
		using held = Namespace.open(there.path);
		there[Symbol.dispose]();
		using socket = openRoute(held);
		setLink(socket, 'lo', { up: true });
	});
});

describe('listenInNamespace', () => {
	it('serves the namespace it was opened in and no other', async () => {
		using there = testNamespace('listen');
		using socket = openRoute(there.namespace);
		setLink(socket, 'lo', { up: true });
		const server = createServer((peer) => peer.end('hello'));
		await new Promise<void>((resolve) =>
			server.listen({ fd: listenInNamespace(there.path, { address: '127.0.0.1', port: 8080 }) }, resolve),
		);
		using other = testNamespace('other');
		using otherSocket = openRoute(other.namespace);
		setLink(otherSocket, 'lo', { up: true });
		const call = async ({ name }: TestNamespace): Promise<string> =>
			(await promisify(execFile)('ip', ['netns', 'exec', name, 'bash', '-c', 'cat </dev/tcp/127.0.0.1/8080'])).stdout;
		expect(await call(there)).toBe('hello');
		await expect(call(other)).rejects.toThrow(/Connection refused/);
		server.close();
	});

	it('says which address it could not bind', () => {
		using there = testNamespace('bind');
		const taken = { address: '::', port: 8080 };
		const fd = listenInNamespace(there.path, taken);
		try {
			expect(() => listenInNamespace(there.path, taken)).toThrow(
				expect.objectContaining({ code: 'LINUX_EADDRINUSE', message: expect.stringContaining(':: port 8080') }),
			);
		} finally {
			closeSync(fd);
		}
		expect(() => listenInNamespace(there.path, { address: 'nowhere', port: 80 })).toThrow(
			expect.objectContaining({ code: 'LINUX_ADDRESS' }),
		);
	});
});
