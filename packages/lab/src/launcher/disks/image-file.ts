import { closeSync, openSync, readSync } from 'node:fs';

export type ImageFormat = 'raw' | 'qcow2';

/** "QFI\xfb": QEMU's docs/interop/qcow2.txt, "Header". */
const qcow2Magic = 0x514649fb;

/** The format of an image file, by its header. Throws the system's error when it cannot be read. */
export function imageFormat(path: string): ImageFormat {
	const file = openSync(path, 'r');
	try {
		const header = Buffer.alloc(4);
		readSync(file, header, 0, header.length, 0);
		return header.readUInt32BE() === qcow2Magic ? 'qcow2' : 'raw';
	} finally {
		closeSync(file);
	}
}
