import { badRequest } from '../errors.ts';
import { isRecord, type MutableJson } from '../objects.ts';
import { type Field, messageNameOf, messageOf } from './messages.ts';
import { malformed, readFields, type WireField } from './wire.ts';

// Go clients send the built-in kinds as protobuf since client-go 1.32, whatever the server offers; answers may be JSON.

const magic = Buffer.from('k8s\0');

/** The object of a body of type `application/vnd.kubernetes.protobuf`, as its JSON would be parsed. Throws BadRequest. */
export function decodeProtobuf(body: Buffer): unknown {
	if (!body.subarray(0, magic.length).equals(magic)) throw malformed();
	// k8s.io/apimachinery/pkg/runtime/generated.proto: Unknown{typeMeta = 1, raw = 2}, TypeMeta{apiVersion = 1, kind = 2}
	const envelope = collect(body.subarray(magic.length));
	const typeMeta = collect(bytesOf(envelope.get(1)));
	const apiVersion = textOf(typeMeta.get(1));
	const kind = textOf(typeMeta.get(2));
	const name = messageNameOf(apiVersion, kind);
	if (name === undefined) throw badRequest(`${kind} of ${apiVersion} is not accepted as protobuf; send it as application/json`);
	return { apiVersion, kind, ...decodeMessage(name, bytesOf(envelope.get(2))) };
}

function collect(bytes: Uint8Array): ReadonlyMap<number, WireField['value']> {
	return new Map([...readFields(bytes)].map(({ number, value }) => [number, value]));
}

function decodeMessage(name: string, bytes: Uint8Array): MutableJson {
	const fields = messageOf(name).byNumber;
	const out: MutableJson = {};
	for (const { number, value } of readFields(bytes)) {
		const field = fields.get(number);
		// A newer client's field.
		if (!field) continue;
		if (field.shape === 'list') append(out, field.json, decodeValue(field.type, value));
		else if (field.shape === 'map') addEntry(out, field, bytesOf(value));
		else if (field.inline) Object.assign(out, decodeMessage(field.type, bytesOf(value)));
		else {
			const decoded = decodeValue(field.type, value);
			if (decoded !== undefined && (field.always || !isEmpty(decoded))) out[field.json] = decoded;
		}
	}
	return out;
}

function append(out: MutableJson, key: string, item: unknown): void {
	const list = out[key];
	if (Array.isArray(list)) list.push(item);
	else out[key] = [item];
}

function addEntry(out: MutableJson, { json, type }: Field, bytes: Uint8Array): void {
	const pair = collect(bytes);
	const map = out[json];
	const entry = { [textOf(pair.get(1))]: decodeValue(type, pair.get(2) ?? Buffer.alloc(0)) };
	out[json] = isRecord(map) ? { ...map, ...entry } : entry;
}

function isEmpty(value: unknown): boolean {
	return value === '' || value === 0 || value === false || (isRecord(value) && Object.keys(value).length === 0);
}

function decodeValue(type: string, value: WireField['value']): unknown {
	switch (type) {
		case 'string':
			return textOf(value);
		case 'bool':
			return value !== 0n;
		case 'int':
			return intOf(value);
		case 'bytes':
			return Buffer.from(bytesOf(value)).toString('base64');
		case 'quantity':
			return textOf(collect(bytesOf(value)).get(1));
		case 'time':
		case 'microtime':
			return timeOf(collect(bytesOf(value)), type === 'microtime');
		case 'intorstring': {
			const parts = collect(bytesOf(value));
			return intOf(parts.get(1) ?? 0n) === 0 ? intOf(parts.get(2) ?? 0n) : textOf(parts.get(3));
		}
		case 'duration':
			return `${intOf(collect(bytesOf(value)).get(1) ?? 0n) / 1e9}s`;
		case 'raw':
			return JSON.parse(textOf(collect(bytesOf(value)).get(1)));
		default:
			return decodeMessage(type, bytesOf(value));
	}
}

/** google.protobuf.Timestamp: seconds = 1, nanos = 2. The zero time is none. */
function timeOf(parts: ReadonlyMap<number, WireField['value']>, micro: boolean): string | undefined {
	if (parts.size === 0) return undefined;
	const seconds = intOf(parts.get(1) ?? 0n);
	const micros = Math.floor(intOf(parts.get(2) ?? 0n) / 1000);
	const text = new Date(seconds * 1000).toISOString().slice(0, 19);
	return micro ? `${text}.${String(micros).padStart(6, '0')}Z` : `${text}Z`;
}

function bytesOf(value: WireField['value'] | undefined): Uint8Array {
	if (value === undefined) return Buffer.alloc(0);
	if (typeof value === 'bigint') throw malformed();
	return value;
}

function textOf(value: WireField['value'] | undefined): string {
	return Buffer.from(bytesOf(value)).toString('utf8');
}

function intOf(value: WireField['value']): number {
	if (typeof value !== 'bigint') throw malformed();
	return Number(BigInt.asIntN(64, value));
}
