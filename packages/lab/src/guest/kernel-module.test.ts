import { describe, expect, it } from 'vitest';
import { loadOrder, moduleAliases, moduleDependencies } from './kernel-module.ts';

/** An ELF file with just a `.modinfo` section and the table of section names. */
function elf(modinfo: string): Uint8Array {
	const names = Buffer.from('\0.modinfo\0.shstrtab\0');
	const info = Buffer.from(modinfo, 'latin1');
	const [namesAt, infoAt] = [64, 64 + names.length];
	const table = infoAt + info.length;
	const file = Buffer.alloc(table + 3 * 64);
	file.writeUInt32BE(0x7f454c46, 0);
	file.writeBigUInt64LE(BigInt(table), 0x28);
	file.writeUInt16LE(64, 0x3a);
	file.writeUInt16LE(3, 0x3c);
	file.writeUInt16LE(2, 0x3e);
	names.copy(file, namesAt);
	info.copy(file, infoAt);
	const section = (index: number, name: number, offset: number, size: number): void => {
		file.writeUInt32LE(name, table + index * 64);
		file.writeBigUInt64LE(BigInt(offset), table + index * 64 + 0x18);
		file.writeBigUInt64LE(BigInt(size), table + index * 64 + 0x20);
	};
	section(1, names.indexOf('.modinfo'), infoAt, info.length);
	section(2, names.indexOf('.shstrtab'), namesAt, names.length);
	return file;
}

describe('moduleDependencies', () => {
	it('reads what a module says that it depends on', () => {
		expect(moduleDependencies(elf('license=GPL\0depends=virtio_ring,virtio\0name=virtio_net\0'))).toEqual(['virtio_ring', 'virtio']);
	});

	it('is empty for a module without dependencies', () => {
		expect(moduleDependencies(elf('depends=\0name=virtio\0'))).toEqual([]);
	});

	it('refuses what is not a module', () => {
		expect(() => moduleDependencies(Buffer.alloc(128))).toThrow(expect.objectContaining({ code: 'GUEST_MODULE' }));
	});
});

describe('moduleAliases', () => {
	it('reads every name that the kernel may ask for', () => {
		const isofs = elf('alias=iso9660\0alias=fs-iso9660\0depends=\0name=isofs\0');
		expect(moduleAliases(isofs)).toEqual(['iso9660', 'fs-iso9660']);
		expect(moduleAliases(elf('depends=\0'))).toEqual([]);
	});
});

describe('loadOrder', () => {
	const dependencies: Readonly<Record<string, readonly string[]>> = { net: ['ring', 'virtio'], pci: ['virtio', 'ring'], virtio: ['ring'] };

	it('puts each module once, after all that it needs', () => {
		expect(loadOrder(['pci', 'net'], (name) => dependencies[name] ?? [])).toEqual(['ring', 'virtio', 'pci', 'net']);
	});
});
