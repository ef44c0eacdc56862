import type { VirtualMachineInstanceSpec } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { volumesOf } from './volumes.ts';

interface Given {
	readonly disks?: readonly object[];
	readonly filesystems?: readonly object[];
	readonly volumes?: readonly object[];
}

const volumes = ({ disks, filesystems, volumes }: Given) =>
	volumesOf({ domain: { devices: { disks, filesystems } }, volumes } as unknown as VirtualMachineInstanceSpec, {
		instanceId: 'vm.ns',
		hostname: 'vm',
	});

const image = { name: 'root', hostDisk: { path: '/images/root.raw', type: 'Disk' } };
const standIn = { name: 'os', containerDisk: { image: 'quay.io/kubevirt/cirros-container-disk-demo' } };

describe('volumesOf', () => {
	it('has nothing for an instance without volumes', () => {
		expect(volumes({})).toEqual({ disks: [], shares: [] });
	});

	it('starts from an image file, in place or as a template', () => {
		expect(volumes({ disks: [{ name: 'root', disk: { bus: 'virtio' } }], volumes: [image] }).disks).toEqual([
			{
				name: 'root',
				content: { kind: 'host-file', path: '/images/root.raw' },
				device: 'disk',
				bus: 'virtio',
				readOnly: false,
				boots: true,
			},
		]);
		const template = { name: 'root', containerDisk: { image: 'x', path: '/images/a.qcow2' } };
		expect(volumes({ volumes: [template] }).disks).toMatchObject([{ content: { kind: 'template', path: '/images/a.qcow2' }, boots: true }]);
	});

	it("lets the lab's guest stand in for an image that would have to be pulled, and gives it the other disks", () => {
		const { disks } = volumes({ disks: [{ name: 'os', disk: {} }], volumes: [standIn, image] });
		expect(disks).toMatchObject([{ name: 'root', boots: false }]);
	});

	it('starts from what has the lowest boot order', () => {
		const boots = (disks: object[]) => volumes({ disks, volumes: [standIn, image] }).disks.map((disk) => disk.boots);
		expect(
			boots([
				{ name: 'os', bootOrder: 2 },
				{ name: 'root', bootOrder: 1 },
			]),
		).toEqual([true]);
		expect(
			boots([
				{ name: 'os', bootOrder: 1 },
				{ name: 'root', bootOrder: 2 },
			]),
		).toEqual([false]);
		expect(boots([{ name: 'os' }, { name: 'root', bootOrder: 2 }])).toEqual([true]);
	});

	it('makes disks of the sizes that are asked for', () => {
		const empty = { name: 'scratch', emptyDisk: { capacity: '1Gi' } };
		const made = { name: 'data', hostDisk: { path: '/d', type: 'DiskOrCreate', capacity: '64Mi' } };
		expect(volumes({ volumes: [empty, made] }).disks.map(({ content }) => content)).toEqual([
			{ kind: 'empty', bytes: 2 ** 30 },
			{ kind: 'host-file', path: '/d', createBytes: 2 ** 26 },
		]);
	});

	it('gives cloud-init its three files, of which two are always there', () => {
		const content = (cloudInitNoCloud: object) => volumes({ volumes: [{ name: 'seed', cloudInitNoCloud }] }).disks[0]?.content;
		expect(content({ userData: '#cloud-config\n' })).toEqual({
			kind: 'cloud-init',
			files: { 'meta-data': '{"instance-id":"vm.ns","local-hostname":"vm"}', 'user-data': '#cloud-config\n' },
		});
		const encoded = { userDataBase64: Buffer.from('é').toString('base64'), networkData: 'version: 2\n' };
		expect(content(encoded)).toMatchObject({ files: { 'user-data': 'é', 'network-config': 'version: 2\n' } });
	});

	it('has CD-ROMs on SATA, for reading only', () => {
		expect(volumes({ disks: [{ name: 'root', cdrom: {} }], volumes: [image] }).disks).toMatchObject([
			{ device: 'cdrom', bus: 'sata', readOnly: true },
		]);
	});

	it('shares directories by the name of their volume', () => {
		const filesystems = [{ name: 'share', virtiofs: {} }];
		expect(volumes({ filesystems, volumes: [{ name: 'share', containerPath: { path: '/srv/data' } }] })).toEqual({
			disks: [],
			shares: [{ tag: 'share', path: '/srv/data' }],
		});
	});

	it.each([
		['disk without volume', { disks: [{ name: 'a', disk: {} }] }, 'no volume of this name'],
		['two disks of one name', { disks: [{ name: 'root' }, { name: 'root' }], volumes: [image] }, 'called "root"'],
		['two volumes of one name', { volumes: [image, image] }, 'two volumes are called "root"'],
		['malformed name', { volumes: [{ name: 'A,b', emptyDisk: { capacity: '1Gi' } }] }, '"A,b"'],
		['unknown source', { volumes: [{ name: 'a', persistentVolumeClaim: {} }] }, 'source persistentVolumeClaim is not offered'],
		['no source', { volumes: [{ name: 'a' }] }, 'no source'],
		['relative path', { volumes: [{ name: 'a', hostDisk: { path: 'x.img' } }] }, '"x.img" is not an absolute path'],
		['no capacity', { volumes: [{ name: 'a', emptyDisk: {} }] }, 'capacity of volume "a"'],
		['bus', { disks: [{ name: 'root', disk: { bus: 'scsi' } }], volumes: [image] }, 'bus "scsi"'],
		['CD-ROM on virtio', { disks: [{ name: 'root', cdrom: { bus: 'virtio' } }], volumes: [image] }, 'CD-ROM'],
		[
			'a seventh SATA disk',
			{
				disks: [1, 2, 3, 4, 5, 6, 7].map((n) => ({ name: `d${n}`, disk: { bus: 'sata' } })),
				volumes: [1, 2, 3, 4, 5, 6, 7].map((n) => ({ name: `d${n}`, emptyDisk: { capacity: '1Mi' } })),
			},
			'disk "d7" cannot be attached: a machine has at most 6 disks on bus sata',
		],
		['LUN', { disks: [{ name: 'root', lun: {} }], volumes: [image] }, 'LUN'],
		['serial', { disks: [{ name: 'root', serial: 'a,b' }], volumes: [image] }, 'serial'],
		['directory as a disk', { volumes: [{ name: 'a', containerPath: { path: '/x' } }] }, 'directory is not a disk'],
		['image as a share', { filesystems: [{ name: 'root', virtiofs: {} }], volumes: [image] }, 'not a directory'],
		['share of another kind', { filesystems: [{ name: 'root' }], volumes: [image] }, 'no way of sharing'],
		['secret', { volumes: [{ name: 'a', cloudInitNoCloud: { secretRef: { name: 's' } } }] }, 'secrets are not read'],
	])('refuses: %s', (_, given, words) => {
		expect(() => volumes(given)).toThrow(expect.objectContaining({ message: expect.stringContaining(words) }));
	});
});
