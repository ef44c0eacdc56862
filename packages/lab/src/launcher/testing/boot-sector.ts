/**
 * A disk image whose boot sector writes `text` to the first serial line and stops there: what the firmware starts shows itself without a
 * kernel. `text` ends at its zero byte.
 */
export function bootSector(text: string): Uint8Array {
	const code = [
		...[0xfa], // cli
		...[0x31, 0xc0, 0x8e, 0xd8], // ds = 0
		...[0xbe, 0x20, 0x7c], // si = 0x7c20, where the text is
		...[0xba, 0xf8, 0x03], // dx = 0x3f8, the serial line's data register
		...[0xac], // next: al = [si++]
		...[0x84, 0xc0, 0x74, 0x03], // if al == 0 goto stop
		...[0xee, 0xeb, 0xf8], // write al to dx, goto next
		...[0xf4, 0xeb, 0xfd], // stop: hlt, goto stop
	];
	const image = Buffer.alloc(1 << 20);
	Buffer.from(code).copy(image);
	image.write(`${text}\n\0`, 0x20, 'latin1');
	image.writeUInt16LE(0xaa55, 510);
	return image;
}
