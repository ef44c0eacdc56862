import { parseCidr, parseIp } from '@tapestry/base';
import type { Constant, Expression, FieldName, NumberConstant, Relation } from './expression.ts';
import { parseMatch } from './parse.ts';
import { resolveField, symbolOf } from './symbols.ts';

/** A packet as its fields by OVN's names; a field that is absent is zero, and its prerequisite does not hold. */
export type PacketFields = Readonly<Record<string, bigint | string | undefined>>;

/** What an expression refers to beyond the packet. */
export interface Surroundings {
	/** Addresses and blocks; `undefined` where there is no such set. */
	addressSet(name: string): readonly string[] | undefined;
	/** Whether the port is in the group; `undefined` where there is no such group. */
	isInGroup(port: string, group: string): boolean | undefined;
	/** Whether the port is bound to the node that the packet is on. */
	isResident(port: string): boolean;
}

/** A set that is named and does not exist: OVN installs no flow for the expression. */
const unknown = Symbol('unknown set');

/** Whether the packet matches. Negation goes inward as in OVN: `!(tcp.dst == 80)` is `tcp.dst != 80`, which still needs TCP. */
export function matches(expression: Expression, packet: PacketFields, around: Surroundings): boolean {
	try {
		return evaluate(expression, false, packet, around);
	} catch (error) {
		if (error === unknown) return false;
		throw error;
	}
}

function evaluate(expression: Expression, negated: boolean, packet: PacketFields, around: Surroundings): boolean {
	switch (expression.kind) {
		case 'constant':
			return expression.value !== negated;
		case 'not':
			return evaluate(expression.part, !negated, packet, around);
		case 'resident':
			return around.isResident(expression.port) !== negated;
		case 'flag':
			return flag(expression.field, negated, packet, around);
		case 'compare':
			return compare(expression.field, negated ? opposite[expression.relation] : expression.relation, expression.constants, packet, around);
		default: {
			// Every part is looked at, because one unknown set makes the whole expression void.
			const parts = expression.parts.map((part) => evaluate(part, negated, packet, around));
			return (expression.kind === 'and') !== negated ? parts.every(Boolean) : parts.some(Boolean);
		}
	}
}

const opposite: Readonly<Record<Relation, Relation>> = { '==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<' };

const expansions = new Map<string, Expression>();

/** The expression that a predicate or prerequisite stands for. */
function expansion(text: string): Expression {
	const known = expansions.get(text);
	if (known) return known;
	const parsed = parseMatch(text);
	expansions.set(text, parsed);
	return parsed;
}

function flag(field: FieldName, negated: boolean, packet: PacketFields, around: Surroundings): boolean {
	const symbol = symbolOf(field.name);
	// A predicate is negated as a whole, with the prerequisites of what it stands for.
	if (symbol?.kind === 'predicate') return evaluate(expansion(symbol.expansion), false, packet, around) !== negated;
	const zero: NumberConstant = { kind: 'number', form: 'decimal', value: 0n };
	return compare(field, negated ? '==' : '!=', [zero], packet, around);
}

function compare(
	field: FieldName,
	relation: Relation,
	constants: readonly Constant[],
	packet: PacketFields,
	around: Surroundings,
): boolean {
	const resolved = resolveField(field.name);
	if (!resolved) return false;
	if (resolved.isString) {
		const port = packet[resolved.field];
		const isOne = constants.map((constant) => isPort(typeof port === 'string' ? port : '', constant, around)).some(Boolean);
		return isOne === (relation === '==');
	}
	const numbers = constants.flatMap((constant) => numbersOf(constant, field, around));
	// OVN makes a plain truth of an empty set, before it thinks of prerequisites.
	if (numbers.length === 0) return relation === '!=';
	if (!resolved.prerequisites.every((text) => evaluate(expansion(text), false, packet, around))) return false;
	const whole = packet[resolved.field];
	const low = BigInt(resolved.low + (field.bits?.low ?? 0));
	const width = BigInt(field.bits ? field.bits.high - field.bits.low + 1 : resolved.width);
	const value = ((typeof whole === 'bigint' ? whole : 0n) >> low) & ((1n << width) - 1n);
	if (relation === '==') return numbers.some((one) => equal(value, one));
	if (relation === '!=') return !numbers.some((one) => equal(value, one));
	const other = numbers[0]?.value ?? 0n;
	return { '<': value < other, '<=': value <= other, '>': value > other, '>=': value >= other }[relation];
}

function isPort(port: string, constant: Constant, around: Surroundings): boolean {
	if (constant.kind === 'string') return constant.value === port;
	const isMember = constant.kind === 'portGroup' ? around.isInGroup(port, constant.name) : undefined;
	if (isMember === undefined) throw unknown;
	return isMember;
}

function equal(value: bigint, { value: other, mask }: Pick<NumberConstant, 'value' | 'mask'>): boolean {
	return mask === undefined ? value === other : (value & mask) === other;
}

function numbersOf(constant: Constant, field: FieldName, around: Surroundings): readonly Pick<NumberConstant, 'value' | 'mask'>[] {
	if (constant.kind === 'number') return [constant];
	const set = constant.kind === 'addressSet' ? around.addressSet(constant.name) : undefined;
	if (set === undefined) throw unknown;
	return setMembers(set, field.name.startsWith('ip6') ? 6 : 4);
}

export type SetMember = Pick<NumberConstant, 'value' | 'mask'>;

/** A set of thousands of addresses stands in many rules: it is read once, as long as the list of its texts lives. */
const readSets = new WeakMap<readonly string[], Partial<Record<4 | 6, readonly SetMember[]>>>();

/** The addresses and blocks of one family among the members of an address set. */
export function setMembers(set: readonly string[], family: 4 | 6): readonly SetMember[] {
	const read = readSets.get(set) ?? {};
	readSets.set(set, read);
	read[family] ??= set.flatMap((text) => setMember(text, family));
	return read[family];
}

/** Address sets may hold both families; members of the other one are wider or narrower than the field and never equal. */
function setMember(text: string, family: 4 | 6): readonly SetMember[] {
	// Most texts are of the other family or plain addresses, and there may be many.
	if (text.includes(':') !== (family === 6)) return [];
	const ip = parseIp(text);
	if (ip) return ip.family === family ? [{ value: ip.value }] : [];
	const block = parseCidr(text);
	if (!block || block.family !== family) return [];
	const width = BigInt(family === 4 ? 32 : 128);
	return [{ value: block.network, mask: ((1n << BigInt(block.prefix)) - 1n) << (width - BigInt(block.prefix)) }];
}
