import { decompressLz4 } from './lz4.ts';

// Offsets in the boot sector of a bzImage: The Linux/x86 Boot Protocol, "The Real-Mode Kernel Header".
const setupSectors = 0x1f1;
const headerMagic = 0x202;
const protocolVersion = 0x206;
const payloadOffset = 0x248;
const payloadLength = 0x24c;
const lz4Magic = 0x184c2102;

/**
 * The ELF kernel inside a bzImage. QEMU starts it by its PVH entry without running the decompressor, which under emulation is a fifth of
 * the boot. Undefined when the payload is not packed with LZ4, as Debian's is: then the bzImage itself boots too.
 */
export function extractElfKernel(bzImage: Uint8Array): Uint8Array | undefined {
	const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
	// The payload's fields exist since version 2.08.
	if (view.getUint32(headerMagic) !== 0x48647253 || view.getUint16(protocolVersion, true) < 0x208) return undefined;
	// Zero stands for four sectors, for old loaders' sake; the boot sector itself comes before them.
	const realMode = ((bzImage[setupSectors] || 4) + 1) * 512;
	const start = realMode + view.getUint32(payloadOffset, true);
	const payload = bzImage.subarray(start, start + view.getUint32(payloadLength, true));
	if (new DataView(payload.buffer, payload.byteOffset).getUint32(0, true) !== lz4Magic) return undefined;
	// The build appends the decompressed length to the payload.
	const size = new DataView(payload.buffer, payload.byteOffset + payload.length - 4).getUint32(0, true);
	return decompressLz4(payload.subarray(0, -4), size);
}
