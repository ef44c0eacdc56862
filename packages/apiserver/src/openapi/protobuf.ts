/** The one wire type of Protocol Buffers that gnostic's documents need here. */
const lengthDelimited = 2;

export function message(...fields: readonly (Buffer | undefined)[]): Buffer {
	return Buffer.concat(fields.filter((field) => field !== undefined));
}

/** A string or an embedded message; undefined is left out. */
export function field(number: number, value: string | Buffer | undefined): Buffer | undefined {
	if (value === undefined) return undefined;
	const bytes = typeof value === 'string' ? Buffer.from(value) : value;
	return Buffer.concat([varint((number << 3) | lengthDelimited), varint(bytes.length), bytes]);
}

export function repeated(number: number, values: readonly (string | Buffer)[]): Buffer {
	return message(...values.map((value) => field(number, value)));
}

function varint(value: number): Buffer {
	const bytes: number[] = [];
	let rest = value;
	while (rest > 0x7f) {
		bytes.push((rest & 0x7f) | 0x80);
		rest >>>= 7;
	}
	return Buffer.from([...bytes, rest]);
}
