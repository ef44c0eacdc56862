import type { Constant, Expression, FieldName, Relation } from './expression.ts';
import { resolveField, symbolOf } from './symbols.ts';
import { syntaxError, type Token, tokensOf } from './tokens.ts';

const relations: readonly string[] = ['==', '!=', '<', '<=', '>', '>='] satisfies Relation[];
const mirrored: Readonly<Record<Relation, Relation>> = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/**
 * Reads a match expression of ovn-sb(5), with OVN's own restrictions: `&&` and `||` mix only with parentheses, fields without order are tested for
 * equality only, and what is compared must fit.
 * @throws MATCH_SYNTAX
 */
export function parseMatch(text: string): Expression {
	const parser = new Parser(text);
	return parser.whole();
}

class Parser {
	readonly #text: string;
	readonly #tokens: readonly Token[];
	#at = 0;
	/** Whether an odd number of `!` stands around what is read now. */
	#isNegated = false;

	constructor(text: string) {
		this.#text = text;
		this.#tokens = tokensOf(text);
	}

	whole(): Expression {
		const expression = this.#expression();
		if (this.#at < this.#tokens.length) throw this.#error('something follows the end of the expression');
		return expression;
	}

	#expression(): Expression {
		const first = this.#negation();
		const sign = this.#peekSign();
		if (sign !== '&&' && sign !== '||') return first;
		const parts = [first];
		while (this.#take(sign)) parts.push(this.#negation());
		const next = this.#peekSign();
		if (next === '&&' || next === '||') throw this.#error('&& and || must be parenthesized when used together');
		return { kind: sign === '&&' ? 'and' : 'or', parts };
	}

	#negation(): Expression {
		if (!this.#take('!')) return this.#primary();
		this.#isNegated = !this.#isNegated;
		const part = this.#primary();
		this.#isNegated = !this.#isNegated;
		return { kind: 'not', part };
	}

	#primary(): Expression {
		if (this.#take('(')) {
			const inner = this.#expression();
			this.#need(')');
			return inner;
		}
		const token = this.#tokens[this.#at];
		if (token?.kind === 'word' && token.text === 'is_chassis_resident') return this.#resident();
		if (token?.kind === 'word') return this.#fieldFirst();
		return this.#constantFirst();
	}

	#resident(): Expression {
		this.#at++;
		this.#need('(');
		const port = this.#tokens[this.#at++];
		if (port?.kind !== 'string') throw this.#error('is_chassis_resident takes the name of a port in quotes');
		this.#need(')');
		return { kind: 'resident', port: port.value };
	}

	#fieldFirst(): Expression {
		const field = this.#field();
		const relation = this.#relation();
		return relation === undefined ? this.#flag(field) : this.#compare(field, relation, this.#constants());
	}

	/** `80 == tcp.dst`, `0 < tcp.dst <= 9`, and the constants `0` and `1` alone. */
	#constantFirst(): Expression {
		const before = this.#constants();
		const first = this.#relation();
		const [only] = before;
		if (first === undefined) {
			if (only?.kind === 'number' && only.form === 'decimal' && only.value <= 1n) return { kind: 'constant', value: only.value === 1n };
			throw this.#error('a constant alone says nothing');
		}
		const field = this.#field();
		const left = this.#compare(field, mirrored[first], before);
		const second = this.#relation();
		if (second === undefined) return left;
		if (first[0] !== second[0] || !/[<>]/.test(first)) throw this.#error('a range is written x < field < y or x > field > y');
		return { kind: 'and', parts: [left, this.#compare(field, second, this.#constants())] };
	}

	#flag(field: FieldName): Expression {
		const symbol = symbolOf(field.name);
		if (symbol?.kind === 'predicate') {
			if (symbol.isNominal && this.#isNegated) throw this.#error(`${field.name} may only be tested positively`);
			return { kind: 'flag', field };
		}
		if (this.#width(field) !== 1) throw this.#error(`${field.name} needs something to be compared with`);
		return { kind: 'flag', field };
	}

	#compare(field: FieldName, relation: Relation, constants: readonly Constant[]): Expression {
		const resolved = resolveField(field.name);
		const isEquality = relation === '==' || relation === '!=';
		if (!isEquality && constants.length !== 1) throw this.#error('only == and != may be used with several values');
		if (!resolved) throw this.#error(`${field.name} is compared as if it were a field; test it alone`);
		if (!resolved.isOrdinal && relation !== (this.#isNegated ? '!=' : '==')) {
			throw this.#error(`${field.name} may only be tested for equality (taking ! into account)`);
		}
		const width = this.#width(field);
		for (const constant of constants) {
			const isString = constant.kind === 'string' || constant.kind === 'portGroup';
			if (isString !== resolved.isString) throw this.#error(`${field.name} is compared with a value of another type`);
			if (constant.kind !== 'number') continue;
			if (constant.mask !== undefined && !resolved.isOrdinal) throw this.#error(`${field.name} takes no mask`);
			if (constant.mask !== undefined && !isEquality) throw this.#error('only == and != may be used with masks');
			if (constant.value >> BigInt(width) !== 0n) throw this.#error(`the value is wider than the ${width} bits of ${field.name}`);
		}
		return { kind: 'compare', field, relation, constants };
	}

	#constants(): readonly Constant[] {
		if (!this.#take('{')) return [this.#constant()];
		const constants: Constant[] = [];
		while (!this.#take('}')) {
			constants.push(this.#constant());
			this.#take(',');
		}
		return constants;
	}

	#constant(): Constant {
		const token = this.#tokens[this.#at++];
		if (token?.kind === 'number') return token.constant;
		if (token?.kind === 'string') return { kind: 'string', value: token.value };
		if (token?.kind === 'addressSet' || token?.kind === 'portGroup') return { kind: token.kind, name: token.name };
		throw this.#error('a constant is missing');
	}

	#field(): FieldName {
		const token = this.#tokens[this.#at++];
		if (token?.kind !== 'word') throw this.#error('a field is missing');
		const symbol = symbolOf(token.text);
		if (!symbol) throw this.#error(`${token.text} is not a field`);
		if (!this.#take('[')) return { name: token.text };
		const [low, high] = [this.#bit(), this.#bit()];
		this.#need(']');
		if (low === undefined || symbol.kind === 'predicate') throw this.#error(`${token.text} has no such bits`);
		const bits = { low, high: high ?? low };
		if (bits.high < bits.low || bits.high >= (resolveField(token.text)?.width ?? 0)) throw this.#error(`${token.text} has no such bits`);
		return { name: token.text, bits };
	}

	#bit(): number | undefined {
		const token = this.#tokens[this.#at];
		if (token?.kind !== 'number') return undefined;
		this.#at++;
		return Number(token.constant.value);
	}

	#width({ name, bits }: FieldName): number {
		return bits ? bits.high - bits.low + 1 : (resolveField(name)?.width ?? 0);
	}

	#relation(): Relation | undefined {
		const sign = this.#peekSign();
		if (sign === undefined || !relations.includes(sign)) return undefined;
		this.#at++;
		return sign as Relation;
	}

	#peekSign(): string | undefined {
		const token = this.#tokens[this.#at];
		return token?.kind === 'sign' ? token.text : undefined;
	}

	#take(sign: string): boolean {
		if (this.#peekSign() !== sign) return false;
		this.#at++;
		return true;
	}

	#need(sign: string): void {
		if (!this.#take(sign)) throw this.#error(`\`${sign}\` is missing`);
	}

	#error(why: string) {
		return syntaxError(this.#text, why);
	}
}
