/** A file in the image's only directory. */
export interface IsoFile {
	/** As it is shown by systems that know Joliet, which all do that are in use. */
	readonly name: string;
	readonly data: Uint8Array;
}

interface Placed extends IsoFile {
	readonly sector: number;
}

/** How one of the two directories writes names; both show the same files. */
interface Naming {
	readonly encode: (text: string) => Buffer;
	readonly pad: Buffer;
	readonly fileName: (file: IsoFile, index: number) => Buffer;
}

const sectorSize = 2048;
/** The first sectors are for boot loaders. */
const primaryAt = 16;
const layout = {
	joliet: 17,
	terminator: 18,
	primaryTables: [19, 20],
	jolietTables: [21, 22],
	primaryRoot: 23,
	jolietRoot: 24,
	data: 25,
} as const;
const pathTableLength = 10;
/** 1980-01-01: two images of the same files are the same. */
const date = Buffer.from([80, 1, 1, 0, 0, 0, 0]);

const primaryNaming: Naming = {
	encode: (text) => Buffer.from(text, 'latin1'),
	pad: Buffer.from(' '),
	// Only systems that do not know Joliet see these.
	fileName: (_, index) => Buffer.from(`FILE${index}.;1`, 'latin1'),
};
const jolietNaming: Naming = {
	encode: (text) => Buffer.from(text, 'utf16le').swap16(),
	pad: Buffer.from([0, 0x20]),
	fileName: ({ name }) => jolietNaming.encode(name),
};

/**
 * An ISO 9660 image with one directory (ECMA-119) and its Joliet twin, which keeps the names as they are.
 * @param label at most 16 characters
 */
export function isoImage(label: string, files: readonly IsoFile[]): Uint8Array {
	let next: number = layout.data;
	const placed = [...files]
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.map((file): Placed => {
			const sector = next;
			next += Math.ceil(file.data.length / sectorSize);
			return { ...file, sector };
		});
	const image = Buffer.alloc(next * sectorSize);
	const at = (sector: number): Buffer => image.subarray(sector * sectorSize);
	const tables = { primary: layout.primaryTables, joliet: layout.jolietTables };
	descriptor(1, primaryNaming, { label, sectors: next, root: layout.primaryRoot, tables: tables.primary }).copy(at(primaryAt));
	descriptor(2, jolietNaming, { label, sectors: next, root: layout.jolietRoot, tables: tables.joliet }).copy(at(layout.joliet));
	volumeDescriptor(255).copy(at(layout.terminator));
	pathTable(layout.primaryRoot, at(layout.primaryTables[0]), at(layout.primaryTables[1]));
	pathTable(layout.jolietRoot, at(layout.jolietTables[0]), at(layout.jolietTables[1]));
	directory(layout.primaryRoot, primaryNaming, placed).copy(at(layout.primaryRoot));
	directory(layout.jolietRoot, jolietNaming, placed).copy(at(layout.jolietRoot));
	for (const { sector, data } of placed) image.set(data, sector * sectorSize);
	return image;
}

/** 8.1 Format of a Volume Descriptor. */
function volumeDescriptor(type: number): Buffer {
	const sector = Buffer.alloc(sectorSize);
	sector[0] = type;
	sector.write('CD001', 1, 'latin1');
	sector[6] = 1;
	return sector;
}

/** 8.4 Primary and 8.5 Supplementary Volume Descriptor. */
function descriptor(
	type: number,
	naming: Naming,
	volume: { readonly label: string; readonly sectors: number; readonly root: number; readonly tables: readonly [number, number] },
): Buffer {
	const sector = volumeDescriptor(type);
	const text = (offset: number, length: number, value: string): void => {
		for (let index = 0; index < length; index++) sector[offset + index] = naming.pad[index % naming.pad.length] ?? 0;
		naming.encode(value).copy(sector, offset, 0);
	};
	text(8, 32, '');
	text(40, 32, volume.label);
	both32(sector, 80, volume.sectors);
	// The escape sequence of Joliet, UCS-2 level 3.
	if (type === 2) sector.write('%/E', 88, 'latin1');
	both16(sector, 120, 1);
	both16(sector, 124, 1);
	both16(sector, 128, sectorSize);
	both32(sector, 132, pathTableLength);
	sector.writeUInt32LE(volume.tables[0], 140);
	sector.writeUInt32BE(volume.tables[1], 148);
	record(volume.root, sectorSize, Buffer.from([0]), true).copy(sector, 156);
	// Names of sets, people and files: none.
	text(190, 623, '');
	// Four dates in digits: not specified.
	for (let offset = 813; offset < 881; offset += 17) sector.write('0'.repeat(16), offset, 'latin1');
	sector[881] = 1;
	return sector;
}

/** 9.4 Format of a Path Table Record: of the root, in both byte orders. */
function pathTable(root: number, little: Buffer, big: Buffer): void {
	little[0] = 1;
	little.writeUInt32LE(root, 2);
	little.writeUInt16LE(1, 6);
	big[0] = 1;
	big.writeUInt32BE(root, 2);
	big.writeUInt16BE(1, 6);
}

function directory(root: number, naming: Naming, files: readonly Placed[]): Buffer {
	const own = [Buffer.from([0]), Buffer.from([1])].map((name) => record(root, sectorSize, name, true));
	const others = files.map((file, index) => record(file.sector, file.data.length, naming.fileName(file, index), false));
	const records = Buffer.concat([...own, ...others]);
	if (records.length > sectorSize) throw new RangeError('too many files for one sector of directory');
	return records;
}

/** 9.1 Format of a Directory Record. */
function record(sector: number, length: number, name: Buffer, isDirectory: boolean): Buffer {
	const bytes = Buffer.alloc((33 + name.length + 1) & ~1);
	bytes[0] = bytes.length;
	both32(bytes, 2, sector);
	both32(bytes, 10, length);
	date.copy(bytes, 18);
	bytes[25] = isDirectory ? 2 : 0;
	both16(bytes, 28, 1);
	bytes[32] = name.length;
	name.copy(bytes, 33);
	return bytes;
}

function both16(bytes: Buffer, offset: number, value: number): void {
	bytes.writeUInt16LE(value, offset);
	bytes.writeUInt16BE(value, offset + 2);
}

function both32(bytes: Buffer, offset: number, value: number): void {
	bytes.writeUInt32LE(value, offset);
	bytes.writeUInt32BE(value, offset + 4);
}
