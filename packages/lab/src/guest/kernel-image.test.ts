import { describe, expect, it } from 'vitest';
import { extractElfKernel } from './kernel-image.ts';

const elf = Buffer.from('\x7fELF, in short');

/** A bzImage with one setup sector whose payload is the given bytes followed by the length of the kernel in it. */
function bzImage(payload: readonly number[], version = 0x20f): Uint8Array {
	const start = 2 * 512;
	const image = Buffer.alloc(start + 16 + payload.length + 4);
	image[0x1f1] = 1;
	image.write('HdrS', 0x202);
	image.writeUInt16LE(version, 0x206);
	image.writeUInt32LE(16, 0x248);
	image.writeUInt32LE(payload.length + 4, 0x24c);
	image.set(payload, start + 16);
	image.writeUInt32LE(elf.length, start + 16 + payload.length);
	return image;
}

const lz4 = [0x02, 0x21, 0x4c, 0x18, elf.length + 1, 0, 0, 0, elf.length << 4, ...elf];

describe('extractElfKernel', () => {
	it('finds and unpacks the kernel', () => {
		expect(Buffer.from(extractElfKernel(bzImage(lz4)) ?? [])).toEqual(elf);
	});

	it.each([
		['a kernel that is packed otherwise', bzImage([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0])],
		['an image without the header', Buffer.alloc(2048)],
		['an image of before payloads were described', bzImage(lz4, 0x207)],
	])('leaves %s as it is', (_, image) => expect(extractElfKernel(image)).toBeUndefined());
});
