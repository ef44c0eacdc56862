import { CodedError } from '@tapestry/base';

const openBrace = 0x7b;
const closeBrace = 0x7d;
const quote = 0x22;
const backslash = 0x5c;
const space = 0x20;

/**
 * Cuts a byte stream into its JSON objects. RFC 7047 section 4 puts no delimiter between messages, so their ends are found by counting the
 * braces outside of strings. Bytes, not text: braces and quotes are never part of a longer UTF-8 sequence, and a chunk may end inside one.
 */
export class Framer {
	#parts: Uint8Array[] = [];
	#depth = 0;
	#inString = false;
	#escaped = false;

	/** The texts of the objects that end in this chunk. Throws OVSDB_PROTOCOL for anything but white space between objects. */
	push(chunk: Uint8Array): readonly string[] {
		const messages: string[] = [];
		// Locals: this loop sees every byte, and private fields cost several times as much.
		let [depth, inString, escaped, start] = [this.#depth, this.#inString, this.#escaped, 0];
		for (let at = 0; at < chunk.length; at++) {
			const byte = chunk[at] as number;
			if (inString) {
				if (escaped) escaped = false;
				else if (byte === backslash) escaped = true;
				else if (byte === quote) inString = false;
			} else if (byte === openBrace) {
				if (depth === 0) start = at;
				depth++;
			} else if (depth === 0) {
				if (byte > space) throw new CodedError('OVSDB_PROTOCOL', `the server sent byte ${byte} between two messages`);
			} else if (byte === quote) {
				inString = true;
			} else if (byte === closeBrace) {
				depth--;
				if (depth === 0) messages.push(this.#finish(chunk.subarray(start, at + 1)));
			}
		}
		if (depth > 0) this.#parts.push(chunk.subarray(start));
		[this.#depth, this.#inString, this.#escaped] = [depth, inString, escaped];
		return messages;
	}

	#finish(last: Uint8Array): string {
		const parts = [...this.#parts, last];
		this.#parts = [];
		return Buffer.concat(parts).toString('utf8');
	}
}
