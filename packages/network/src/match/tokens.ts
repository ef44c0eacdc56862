import { CodedError, macToBytes, parseCidr, parseIp, parseMac } from '@tapestry/base';
import type { NumberConstant } from './expression.ts';

export type Token =
	| { readonly kind: 'word'; readonly text: string }
	| { readonly kind: 'string'; readonly value: string }
	| { readonly kind: 'number'; readonly constant: NumberConstant; readonly text: string }
	| { readonly kind: 'addressSet' | 'portGroup'; readonly name: string }
	| { readonly kind: 'sign'; readonly text: string };

/** OVN's names hold letters, digits, `_`, `.`; `$` and `@` go before the names of sets. A number ends where no such letter, `:` or `/` follows. */
const patterns = [
	/^(?<blank>\s+)/,
	/^"(?<string>(?:[^"\\]|\\.)*)"/,
	/^(?<number>(?:\d[\w.:]*|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)(?:\/[\w.:]+)?)/,
	/^\$(?<addressSet>[a-zA-Z_.][\w.]*)/,
	/^@(?<portGroup>[a-zA-Z_.][\w.]*)/,
	/^(?<word>[a-zA-Z_][\w.]*)/,
	/^(?<sign>==|!=|<=|>=|&&|\|\||\.\.|[<>!(){}[\],])/,
] as const;

/** @throws MATCH_SYNTAX */
export function tokensOf(text: string): readonly Token[] {
	const tokens: Token[] = [];
	let rest = text;
	while (rest !== '') {
		const found = firstMatch(rest);
		if (!found) throw syntaxError(text, `\`${rest.slice(0, 20)}\` begins nothing that a match expression can hold`);
		rest = rest.slice(found.length);
		if (found.token === undefined) continue;
		const token = found.token(text);
		tokens.push(token);
		// `[0..7]`: within brackets two dots part two numbers.
		if (token.kind === 'sign' && token.text === '[') {
			const [whole, low = '', high] = /^\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?\]/.exec(rest) ?? [];
			if (whole === undefined) throw syntaxError(text, 'bits of a field are written `[3]` or `[0..7]`');
			tokens.push(decimal(low), ...(high === undefined ? [] : [decimal(high)]), { kind: 'sign', text: ']' });
			rest = rest.slice(whole.length);
		}
	}
	return tokens;
}

export function syntaxError(text: string, why: string): CodedError {
	return new CodedError('MATCH_SYNTAX', { what: `\`${text}\` is not a match expression`, why, fix: 'see ovn-sb(5), Logical_Flow, match' });
}

interface Found {
	readonly length: number;
	readonly token: ((text: string) => Token) | undefined;
}

function firstMatch(rest: string): Found | undefined {
	for (const pattern of patterns) {
		const match = pattern.exec(rest);
		if (!match) continue;
		const [whole] = match;
		const { string, number, addressSet, portGroup, word, sign } = match.groups ?? {};
		const found = (token: (text: string) => Token): Found => ({ length: whole.length, token });
		if (string !== undefined) return found(() => ({ kind: 'string', value: JSON.parse(`"${string}"`) as string }));
		if (number !== undefined) return found((text) => numberToken(number, text));
		if (addressSet !== undefined) return found(() => ({ kind: 'addressSet', name: addressSet }));
		if (portGroup !== undefined) return found(() => ({ kind: 'portGroup', name: portGroup }));
		if (word !== undefined) return found(() => ({ kind: 'word', text: word }));
		if (sign !== undefined) return found(() => ({ kind: 'sign', text: sign }));
		return { length: whole.length, token: undefined };
	}
	return undefined;
}

function decimal(text: string): Token {
	return { kind: 'number', text, constant: { kind: 'number', form: 'decimal', value: BigInt(text) } };
}

function numberToken(written: string, text: string): Token {
	const [value = '', mask] = written.split('/');
	const constant = mask === undefined ? plainNumber(value) : maskedNumber(value, mask);
	if (!constant) throw syntaxError(text, `\`${written}\` is no number, IP or MAC address`);
	if (constant.mask !== undefined && (constant.value & ~constant.mask) !== 0n) {
		throw syntaxError(text, `\`${written}\` has bits that its mask leaves out`);
	}
	return { kind: 'number', text: written, constant };
}

function plainNumber(text: string): NumberConstant | undefined {
	const ip = parseIp(text);
	if (ip) return { kind: 'number', form: ip.family === 4 ? 'ip4' : 'ip6', value: ip.value };
	const mac = parseMac(text);
	if (mac !== undefined) return { kind: 'number', form: 'mac', value: macValue(mac) };
	if (/^0[xX][0-9a-fA-F]+$/.test(text)) return { kind: 'number', form: 'hexadecimal', value: BigInt(text) };
	if (/^\d+$/.test(text)) return { kind: 'number', form: 'decimal', value: BigInt(text) };
	return undefined;
}

function maskedNumber(value: string, mask: string): NumberConstant | undefined {
	const number = plainNumber(value);
	if (!number) return undefined;
	if ((number.form === 'ip4' || number.form === 'ip6') && /^\d+$/.test(mask)) {
		const block = parseCidr(`${value}/${mask}`);
		const width = number.form === 'ip4' ? 32n : 128n;
		return block && { ...number, mask: ((1n << BigInt(block.prefix)) - 1n) << (width - BigInt(block.prefix)) };
	}
	const bits = plainNumber(mask);
	return bits && bits.form === number.form ? { ...number, mask: bits.value } : undefined;
}

export function macValue(mac: string): bigint {
	return macToBytes(mac).reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}
