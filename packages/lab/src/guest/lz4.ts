import { CodedError } from '@tapestry/base';

const legacyMagic = 0x184c2102;
const minMatch = 4;

/**
 * Decompresses the LZ4 "legacy frame", the form in which the kernel's build packs its image: a magic number, then blocks that each carry
 * their compressed length (lz4_Frame_format.md, "Legacy frame"; lz4_Block_format.md).
 * @param size length of the decompressed data
 * @throws GUEST_LZ4 when the data are not of this form
 */
export function decompressLz4(input: Uint8Array, size: number): Uint8Array {
	const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
	if (input.length < 4 || view.getUint32(0, true) !== legacyMagic) throw malformed('no LZ4 legacy magic number');
	const output = new Uint8Array(size);
	let source = 4;
	let target = 0;
	while (target < size) {
		if (source + 4 > input.length) throw malformed('the frame ends before the last block');
		const length = view.getUint32(source, true);
		source += 4;
		if (source + length > input.length) throw malformed('a block is longer than the frame');
		target = decompressBlock(input.subarray(source, source + length), output, target);
		source += length;
	}
	return output;
}

/** A block is sequences of literals and a match; the last one has literals only. Gives back where the output ends. */
function decompressBlock(input: Uint8Array, output: Uint8Array, start: number): number {
	let source = 0;
	let target = start;
	const next = (): number => {
		const byte = input[source++];
		if (byte === undefined) throw malformed('a block ends inside a sequence');
		return byte;
	};
	const length = (nibble: number): number => {
		let total = nibble;
		for (let byte = nibble === 15 ? 255 : 0; byte === 255; total += byte) byte = next();
		return total;
	};
	while (source < input.length) {
		const token = next();
		const literals = length(token >> 4);
		if (source + literals > input.length || target + literals > output.length) throw malformed('literals beyond the end');
		output.set(input.subarray(source, source + literals), target);
		source += literals;
		target += literals;
		if (source === input.length) return target;
		const offset = next() | (next() << 8);
		const match = length(token & 15) + minMatch;
		if (offset === 0 || offset > target || target + match > output.length) throw malformed('a match outside the output');
		copyMatch(output, target, offset, match);
		target += match;
	}
	return target;
}

/** A match may overlap what it writes: it then repeats the last `offset` bytes. */
function copyMatch(output: Uint8Array, target: number, offset: number, length: number): void {
	if (offset >= length) output.copyWithin(target, target - offset, target - offset + length);
	else for (let i = target; i < target + length; i++) output[i] = output[i - offset] ?? 0;
}

function malformed(why: string): CodedError {
	return new CodedError('GUEST_LZ4', { what: 'the kernel image cannot be decompressed', why });
}
