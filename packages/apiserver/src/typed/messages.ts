import { messages } from './messages.generated.ts';

/** One field of a Kubernetes type, as both JSON and protobuf have it. */
export interface Field {
	readonly json: string;
	readonly number: number;
	readonly shape: 'one' | 'list' | 'map';
	/** A message, or one of `string bool int bytes time microtime duration quantity intorstring raw`. */
	readonly type: string;
	/** JSON has the fields of this message in its place. */
	readonly inline: boolean;
	/** JSON has the field even when it is empty, false or 0: a pointer in Go, or without `omitempty`. */
	readonly always: boolean;
}

export interface Message {
	readonly byNumber: ReadonlyMap<number, Field>;
	/** Those of inlined messages included. */
	readonly byName: ReadonlyMap<string, Field>;
	/** It is an object of its own, with apiVersion and kind, wherever it stands. */
	readonly isObject: boolean;
}

const parsed = new Map<string, Message>();

/** The message of a built-in kind; undefined for those that are not in the table. */
export function messageNameOf(apiVersion: string, kind: string): string | undefined {
	const [version = '', group = 'core'] = apiVersion.split('/').reverse();
	const names = [`${group.split('.')[0]}/${version}.${kind}`, `meta/v1.${kind}`];
	return names.find((name) => Object.hasOwn(messages, name));
}

/** Parsed when it is first needed: most of the table never is. */
export function messageOf(name: string): Message {
	const known = parsed.get(name);
	if (known) return known;
	const fields = (messages[name] ?? '')
		.split(' ')
		.filter((text) => text !== '')
		.map(parseField);
	const named = fields.flatMap((field) => (field.inline ? [...messageOf(field.type).byName.values()] : [field]));
	const message = {
		byNumber: new Map(fields.map((field) => [field.number, field])),
		byName: new Map(named.map((field) => [field.json, field])),
		isObject: fields.some(({ type }) => type === 'meta/v1.ObjectMeta'),
	};
	parsed.set(name, message);
	return message;
}

function parseField(text: string): Field {
	const [json = '', number, rest = ''] = text.split(':');
	const [, flag, shape, type = ''] = /^([\^+]?)(\[\]|\{\})?(.*)$/.exec(rest) ?? [];
	return {
		json,
		number: Number(number),
		shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one',
		type,
		inline: flag === '^',
		always: flag === '+',
	};
}
