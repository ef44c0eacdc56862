export interface CpioEntry {
	/** Without a leading slash. Directories come before what is in them. */
	readonly path: string;
	/** Type and permission bits, as in stat(2): for example 0o100755 for a program. */
	readonly mode: number;
	/** A file's content, or a symbolic link's target. */
	readonly data?: Uint8Array;
}

const magic = '070701';
const trailer = 'TRAILER!!!';
const headerLength = 110;

/** An uncompressed archive in the "newc" format, which the kernel unpacks as initramfs (Documentation/driver-api/early-userspace/buffer-format.rst). All belongs to root. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
	const records = entries.map((entry, index) => ({ ...entry, inode: index + 1 }));
	return Buffer.concat([...records, { path: trailer, mode: 0, inode: 0 }].map(record));
}

function record(entry: CpioEntry & { readonly inode: number }): Uint8Array {
	const name = Buffer.from(`${entry.path}\0`);
	const data = entry.data ?? new Uint8Array();
	const links = (entry.mode & 0o170000) === 0o040000 ? 2 : 1;
	const [uid, gid, mtime, device, check] = [0, 0, 0, [0, 0, 0, 0], 0];
	const fields = [entry.inode, entry.mode, uid, gid, links, mtime, data.length, ...device, name.length, check];
	const header = Buffer.from(magic + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
	const dataOffset = align(headerLength + name.length);
	const bytes = new Uint8Array(dataOffset + align(data.length));
	bytes.set(header);
	bytes.set(name, headerLength);
	bytes.set(data, dataOffset);
	return bytes;
}

function align(length: number): number {
	return (length + 3) & ~3;
}
