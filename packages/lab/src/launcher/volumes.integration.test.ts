import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GuestImage } from '../guest/image.ts';
import { testImage } from '../guest/testing/test-image.ts';
import { type HypervisorName, hypervisorAnnotation } from './machine.ts';
import { bootSector } from './testing/boot-sector.ts';
import { type LauncherUnderTest, startLauncher } from './testing/launcher-under-test.ts';

const hypervisors: readonly HypervisorName[] = ['qemu', 'libvirt'];
const memory = { guest: '192Mi' };
const host = mkdtempSync(join(tmpdir(), 'volumes-'));
chmodSync(host, 0o755);
const at = (name: string) => join(host, name);

let image: GuestImage;
beforeAll(async () => {
	image = await testImage();
}, 400_000);
afterAll(() => rmSync(host, { recursive: true, force: true }));

const userData = '#!/bin/sh\necho "é on $(hostname)" >/run/greeting\n';

describe.each(hypervisors)('volumes of a machine with %s', (hypervisor) => {
	const annotations = { [hypervisorAnnotation]: hypervisor };
	let vm: LauncherUnderTest;
	const guest = async (command: string) => (await vm.exec('sh', '-c', command)).output;

	beforeAll(async () => {
		writeFileSync(at('in-place.img'), Buffer.alloc(1 << 20, 'host'));
		writeFileSync(at('template.img'), Buffer.alloc(1 << 20, 'base'));
		spawnSync('qemu-img', ['convert', '-O', 'qcow2', at('template.img'), at('template.qcow2')]);
		rmSync(at('share'), { recursive: true, force: true });
		spawnSync('install', ['-d', '-m', '777', at('share')]);
		writeFileSync(join(at('share'), 'from-host'), 'hello guest\n');
		vm = await startLauncher(image, {
			annotations,
			spec: {
				domain: {
					memory,
					devices: {
						disks: [{ name: 'os' }, { name: 'in-place', serial: 'S1' }, { name: 'template' }, { name: 'scratch' }, { name: 'seed' }],
						filesystems: [{ name: 'share', virtiofs: {} }],
					},
				},
				volumes: [
					{ name: 'os', containerDisk: { image: 'quay.io/kubevirt/cirros-container-disk-demo' } },
					{ name: 'in-place', hostDisk: { path: at('in-place.img'), type: 'Disk' } },
					{ name: 'template', containerDisk: { image: 'none', path: at('template.qcow2') } },
					{ name: 'scratch', emptyDisk: { capacity: '3Mi' } },
					{ name: 'seed', cloudInitNoCloud: { userData, networkData: 'version: 2\n' } },
					{ name: 'share', containerPath: { path: at('share') } },
				],
			},
		});
		await vm.running;
	}, 180_000);
	afterAll(() => vm[Symbol.asyncDispose]());

	it("gives the lab's guest its disks in order, with their sizes and serial numbers", async () => {
		expect(await guest('cat /sys/block/vd[a-c]/size')).toBe('2048\n2048\n6144\n');
		expect(await guest('cat /sys/block/vd[a-d]/ro')).toBe('0\n0\n0\n1\n');
		expect(await guest('cat /sys/block/vda/serial')).toBe('S1');
	});

	it('writes an image in place and leaves a template alone', async () => {
		expect(await guest('head -c 8 /dev/vda; head -c 8 /dev/vdb')).toBe('hosthostbasebase');
		await guest('echo new! | tee /dev/vda >/dev/vdb; sync');
		expect(readFileSync(at('in-place.img'), 'latin1').slice(0, 8)).toBe('new!\nost');
		expect(await guest('head -c 4 /dev/vdb')).toBe('new!');
		const { stdout } = spawnSync('qemu-img', ['compare', at('template.img'), at('template.qcow2')], { encoding: 'utf8' });
		expect(stdout).toContain('Images are identical');
	});

	it('hands cloud-init its files', async () => {
		await vm.shown('GUEST USER DATA status=0');
		expect(await guest('ls -1 /run/seed')).toBe('meta-data\nnetwork-config\nuser-data\n');
		expect(await guest('cat /run/seed/meta-data')).toBe('{"instance-id":"vm1.default","local-hostname":"vm1"}');
		expect(await guest('cat /run/seed/user-data /run/seed/network-config')).toBe(`${userData}version: 2\n`);
		expect(await guest('cat /run/greeting')).toBe('é on vm1\n');
	});

	it('holds a file system', async () => {
		expect(
			await guest('mke2fs -F /dev/vdc >/dev/null && mkdir /data && mount -t ext2 /dev/vdc /data && echo kept >/data/file; cat /data/file'),
		).toBe('kept\n');
	});

	it('shares a directory both ways', async () => {
		expect(await guest('mkdir -p /share; mount -t virtiofs share /share; cat /share/from-host')).toBe('hello guest\n');
		await guest('echo hello host >/share/from-guest');
		expect(readFileSync(join(at('share'), 'from-guest'), 'utf8')).toBe('hello host\n');
	});
});

describe.each(hypervisors)('a machine that starts from a disk, with %s', (hypervisor) => {
	const annotations = { [hypervisorAnnotation]: hypervisor };

	it.each(['virtio', 'sata'])('on bus %s, before the disks that come first', async (bus) => {
		writeFileSync(at('first.img'), bootSector('the first disk'));
		writeFileSync(at('second.img'), bootSector('the second disk'));
		const disks = [
			{ name: 'first', disk: { bus }, bootOrder: 2 },
			{ name: 'second', disk: { bus }, bootOrder: 1 },
		];
		const volumes = disks.map(({ name }) => ({ name, hostDisk: { path: at(`${name}.img`), type: 'Disk' } }));
		await using vm = await startLauncher(image, { annotations, spec: { domain: { memory, devices: { disks } }, volumes } });
		await vm.running;
		await vm.shown('the second disk');
		expect(readFileSync(vm.files.consoleLog, 'latin1')).not.toContain('the first disk');
	});

	it('made by itself when it is missing', async () => {
		rmSync(at('made.img'), { force: true });
		const volumes = [{ name: 'made', hostDisk: { path: at('made.img'), type: 'DiskOrCreate', capacity: '2Mi' } }];
		await using vm = await startLauncher(image, { annotations, spec: { domain: { memory }, volumes } });
		await vm.running;
		expect(statSync(at('made.img'))).toMatchObject({ size: 2 << 20, uid: 107 });
	});
});

describe('what a machine needs and is not there', () => {
	it.each([
		[
			'a missing disk',
			{ volumes: [{ name: 'root', hostDisk: { path: '/no/such.img', type: 'Disk' } }] },
			'VM_DISK',
			'there is no file /no/such.img',
		],
		[
			'a missing directory',
			{
				domain: { memory, devices: { filesystems: [{ name: 'share', virtiofs: {} }] } },
				volumes: [{ name: 'share', containerPath: { path: '/no/such' } }],
			},
			'VM_SHARE',
			'there is no directory /no/such',
		],
	])('is said on the instance: %s', async (_, spec, reason, message) => {
		await using vm = await startLauncher(image, { spec: { domain: { memory }, ...spec } });
		expect(await vm.ended).toEqual([1, null]);
		const [condition] = vm.instance().status?.conditions ?? [];
		expect(condition).toMatchObject({ type: 'Synchronized', status: 'False', reason });
		expect(condition?.message).toContain(message);
		expect(existsSync(vm.files.consoleLog)).toBe(false);
	});
});
