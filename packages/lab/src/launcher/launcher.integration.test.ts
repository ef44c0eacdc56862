import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GuestImage } from '../guest/image.ts';
import { testImage } from '../guest/testing/test-image.ts';
import { guestConsole } from './guest-console.ts';
import { guestExec } from './guest-exec.ts';
import { type HypervisorName, hypervisorAnnotation } from './machine.ts';
import { says } from './says.ts';
import { type LauncherUnderTest, processesOf, startLauncher } from './testing/launcher-under-test.ts';

const hypervisors: readonly HypervisorName[] = ['qemu', 'libvirt'];
const small = { memory: { guest: '192Mi' } };

let image: GuestImage;
beforeAll(async () => {
	image = await testImage();
}, 300_000);

/** Debian's static busybox has a wget that crashes. */
const pageOf = (vm: LauncherUnderTest) =>
	vm.network.run('busybox', 'sh', '-c', "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 20 10.9.8.7 80");

describe.each(hypervisors)('the launcher with %s', (hypervisor) => {
	const annotations = { [hypervisorAnnotation]: hypervisor };
	let vm: LauncherUnderTest;

	beforeAll(async () => {
		vm = await startLauncher(image, { annotations, spec: { domain: small, terminationGracePeriodSeconds: 60 } });
		await vm.running;
	}, 120_000);

	afterAll(() => vm[Symbol.asyncDispose]());

	it('runs commands as soon as the guest is up, and passes on their status', async () => {
		expect(await vm.exec('hostname')).toEqual({ status: 0, output: 'vm1\n' });
		expect(await vm.exec('sh', '-c', 'echo "it\'s here"; exit 7')).toEqual({ status: 7, output: "it's here\n" });
		expect((await vm.exec('no-such-program')).status).toBe(127);
	});

	it('boots a guest that says what the network gave it', () =>
		vm.shown('GUEST READY name=vm1 mac=00:00:00:5e:00:53 mtu=1300 addresses=10.9.8.7/24'));

	it('gives the guest a clock that does not run ahead', async () => {
		const start = performance.now();
		await vm.exec('sleep', '1');
		expect(performance.now() - start).toBeGreaterThan(950);
	});

	it('takes route and name server from DHCP', async () => {
		expect((await vm.exec('ip', 'route', 'show', 'default')).output).toContain('default via 10.9.8.1 dev eth0');
		expect((await vm.exec('cat', '/etc/resolv.conf')).output).toBe('nameserver 10.9.8.1\n');
	});

	it('serves a page with its name over the tap, and echoes', () => {
		expect(pageOf(vm)).toContain('\r\n\r\nvm vm1\n');
		expect(vm.network.run('busybox', 'sh', '-c', 'echo hello | busybox nc -w 20 10.9.8.7 7')).toBe('hello\n');
	});

	it('leaves no checksum to a device that is not there', async () => {
		const features = (await vm.exec('cat', '/sys/class/net/eth0/device/features')).output;
		// Virtual I/O Device specification, "Network Device", "Feature bits": CSUM, GUEST_CSUM, MTU, GUEST_TSO4, HOST_TSO4.
		expect([0, 1, 3, 7, 11].map((bit) => features[bit])).toEqual(['0', '0', '1', '0', '0']);
	});

	it('does not carry more output into an answer than its command has', async () => {
		const { output } = await vm.exec('seq', '1', '3000');
		expect(output.trim().split('\n')).toHaveLength(3000);
	});

	it('interrupts a command whose caller gives up', async () => {
		const abort = new AbortController();
		const started = Promise.withResolvers<void>();
		const sleeping = guestExec(vm.files.execSocket, ['sh', '-c', 'echo started; sleep 1000'], {
			output: () => started.resolve(),
			signal: abort.signal,
		});
		sleeping.catch(started.reject);
		await started.promise;
		abort.abort(new Error('enough'));
		await expect(sleeping).rejects.toThrow('enough');
		expect(await vm.exec('echo', 'next')).toEqual({ status: 0, output: 'next\n' });
	});

	it('has a console with a shell, left by Ctrl-]', async () => {
		const [input, output] = [new PassThrough(), new PassThrough()];
		const session = guestConsole(vm.files.consoleSocket, { input, output }, AbortSignal.timeout(60_000));
		input.write('echo console=$((40 + 2))\r');
		await Promise.race([says(output, 'console=42', new AbortController().signal), session]);
		input.write('\x1d');
		await session;
	});

	it('runs QEMU as the owner of the tap', () => {
		expect(readFileSync(`/proc/${vm.qemu()}/status`, 'utf8')).toMatch(/^Uid:\t107\t107/m);
		expect(processesOf(vm.directory, 'libvirtd')).toHaveLength(hypervisor === 'libvirt' ? 1 : 0);
	});

	it('keeps its QEMU when the guest restarts, and runs commands in it again', async () => {
		const qemu = vm.qemu();
		await vm.exec('sh', '-c', 'echo 1 >/tmp/before');
		await expect(vm.exec('reboot', '-f')).rejects.toMatchObject({ code: 'GUEST_EXEC' });
		expect((await vm.exec('test', '-e', '/tmp/before')).status).toBe(1);
		expect(vm.qemu()).toBe(qemu);
	});

	it('shuts the guest down when it is asked to end', async () => {
		vm.process.kill('SIGTERM');
		expect(await vm.ended).toEqual([0, null]);
		expect(readFileSync(vm.files.consoleLog, 'utf8')).toContain('GUEST STOPS');
		expect(processesOf(vm.directory, 'qemu-system-x86')).toEqual([]);
		expect(vm.instance().status).toBeUndefined();
	});
});

describe.each(hypervisors)('the end of a machine with %s', (hypervisor) => {
	const annotations = { [hypervisorAnnotation]: hypervisor };

	it('is failure, told on the instance, when QEMU is killed', async () => {
		await using vm = await startLauncher(image, { annotations, spec: { domain: small } });
		await vm.running;
		process.kill(vm.qemu(), 'SIGKILL');
		expect(await vm.ended).toEqual([1, null]);
		expect(vm.instance().status?.conditions).toMatchObject([{ type: 'Synchronized', status: 'False', reason: 'VM_QEMU' }]);
	});

	it('comes by force when the guest does not shut down in time', async () => {
		await using vm = await startLauncher(image, { annotations, spec: { domain: small, terminationGracePeriodSeconds: 1 } });
		await vm.running;
		await vm.exec('killall', 'acpid');
		vm.process.kill('SIGTERM');
		expect(await vm.ended).toEqual([0, null]);
		expect(readFileSync(vm.files.consoleLog, 'utf8')).not.toContain('GUEST STOPS');
	});

	it('leaves nothing when the launcher is killed with its group', async () => {
		await using vm = await startLauncher(image, { annotations, spec: { domain: small } });
		await vm.running;
		expect(vm.qemu()).toBeGreaterThan(0);
		await vm[Symbol.asyncDispose]();
		// They are not our children: nobody tells us of their end, which takes as long as the machine takes for it.
		const left = (): readonly number[] => ['qemu-system-x86', 'libvirtd'].flatMap((name) => processesOf(vm.directory, name));
		await expect.poll(left, { timeout: 60_000 }).toEqual([]);
	});
});

describe.each(hypervisors)('a machine with four queues and %s', (hypervisor) => {
	let vm: LauncherUnderTest;

	beforeAll(async () => {
		const domain = { ...small, cpu: { cores: 4 }, devices: { networkInterfaceMultiqueue: true } };
		vm = await startLauncher(image, { annotations: { [hypervisorAnnotation]: hypervisor }, queues: 4, spec: { domain } });
		await vm.running;
	}, 120_000);

	afterAll(() => vm[Symbol.asyncDispose]());

	it('opens them all, and its guest uses one for each processor', async () => {
		expect((await vm.exec('nproc')).output).toBe('4\n');
		expect((await vm.exec('sh', '-c', 'ls -d /sys/class/net/eth0/queues/rx-* | wc -l')).output).toBe('4\n');
		const [tap] = JSON.parse(vm.network.run('ip', '-json', '-details', 'link', 'show', 'tap0'));
		expect(tap.linkinfo.info_data).toMatchObject({ multi_queue: true, vnet_hdr: true, numqueues: 4 });
		expect(pageOf(vm)).toContain('\r\n\r\nvm vm1\n');
	});

	it('ends with success when the guest powers off by itself', async () => {
		await vm.exec('poweroff', '-f').catch(() => {});
		expect(await vm.ended).toEqual([0, null]);
	});
});

it('opens the tap by libvirt although a macvtap elsewhere has its index', async () => {
	const name = `tpt-vm-macvtap-${process.pid}`;
	const ip = (...argv: readonly string[]) => execFileSync('ip', argv);
	ip('netns', 'add', name);
	try {
		ip('-netns', name, 'link', 'add', 'lower', 'index', '9', 'type', 'veth', 'peer', 'name', 'peer', 'index', '10');
		ip('-netns', name, 'link', 'add', 'link', 'lower', 'name', 'upper', 'index', '2', 'type', 'macvtap');
		// Devices are those of the machine, their indices each namespace's.
		expect(existsSync('/dev/tap2')).toBe(true);
		await using vm = await startLauncher(image, { annotations: { [hypervisorAnnotation]: 'libvirt' }, spec: { domain: small } });
		await vm.running;
		const [tap] = JSON.parse(vm.network.run('ip', '-json', 'link', 'show', 'tap0'));
		expect(tap).toMatchObject({ ifindex: 2, flags: expect.arrayContaining(['LOWER_UP']) });
	} finally {
		ip('netns', 'delete', name);
	}
});
