import { CodedError, isCoded } from '@tapestry/base';
import { type Constant, type Expression, type FieldName, parseMatch, type Relation, type SetMember, setMembers } from '../match/index.ts';
import { resolveField, symbolOf } from '../match/symbols.ts';

/** One field of a packet against values: any of them for `==`, none of them for `!=`, the only one otherwise. */
export interface Comparison {
	readonly field: string;
	/** The lowest of the bits that are compared, and how many there are. */
	readonly low: number;
	readonly width: number;
	readonly relation: Relation;
	readonly values: readonly SetMember[];
}

/** What of an expression is known before any packet comes. */
export interface KnownPort {
	/** The field that is the port itself, and its name and groups. */
	readonly side: 'inport' | 'outport';
	readonly port: string;
	readonly groups: readonly string[];
	readonly sets: Readonly<Record<string, readonly string[]>>;
}

/** Lists of comparisons of which one has to hold as a whole; or why there are none. */
export type Conjunctions = { readonly all: readonly (readonly Comparison[])[] } | { readonly why: string };

/** Beyond this a rule is no rule any more. */
const most = 512;
/** What may be looked at on the way there. */
const mostPairs = 1 << 16;

/** A set that is named and does not exist: OVN installs no flow for the expression. */
const unknown = Symbol('unknown set');

/** An expression as a list of lists, which is all that a packet filter knows, for one port. Negation goes inward as in OVN (evaluate.ts). */
export function conjunctionsOf(expression: Expression, known: KnownPort): Conjunctions {
	try {
		return { all: holds(expression, false, known) };
	} catch (error) {
		if (error === unknown) return { all: [] };
		if (isCoded(error, 'MATCH_DEVICE')) return { why: error.text.what };
		throw error;
	}
}

type Terms = readonly (readonly Comparison[])[];
const always: Terms = [[]];
const never: Terms = [];

function holds(expression: Expression, negated: boolean, known: KnownPort): Terms {
	switch (expression.kind) {
		case 'constant':
			return expression.value === negated ? never : always;
		case 'not':
			return holds(expression.part, !negated, known);
		case 'resident':
			// No port is on a node for those who are not on the switch.
			return negated ? always : never;
		case 'flag': {
			const symbol = symbolOf(expression.field.name);
			if (symbol?.kind !== 'predicate') return compare(expression.field, negated ? '==' : '!=', [zero], known);
			const meant = parseMatch(symbol.expansion);
			return negated ? fails(meant, known) : holds(meant, false, known);
		}
		case 'compare':
			return compare(expression.field, negated ? opposite[expression.relation] : expression.relation, expression.constants, known);
		default: {
			const parts = expression.parts.map((part) => holds(part, negated, known));
			return (expression.kind === 'and') !== negated ? parts.reduce(both, always) : parts.flat();
		}
	}
}

/** The packets for which a predicate does not hold, those without its prerequisites too. */
function fails(expression: Expression, known: KnownPort): Terms {
	switch (expression.kind) {
		case 'constant':
			return expression.value ? never : always;
		case 'not':
			return holds(expression.part, false, known);
		case 'resident':
			return always;
		case 'flag': {
			const symbol = symbolOf(expression.field.name);
			if (symbol?.kind === 'predicate') return fails(parseMatch(symbol.expansion), known);
			return [...compare(expression.field, '==', [zero], known), ...lacks(expression.field.name, known)];
		}
		case 'compare':
			return [
				...compare(expression.field, opposite[expression.relation], expression.constants, known),
				...lacks(expression.field.name, known),
			];
		default: {
			const parts = expression.parts.map((part) => fails(part, known));
			return expression.kind === 'and' ? parts.flat() : parts.reduce(both, always);
		}
	}
}

const opposite: Readonly<Record<Relation, Relation>> = { '==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<' };
const zero: Constant = { kind: 'number', form: 'decimal', value: 0n };

function lacks(field: string, known: KnownPort): Terms {
	return (resolveField(field)?.prerequisites ?? []).flatMap((text) => fails(parseMatch(text), known));
}

/** What is left out is what no packet can meet, and what stands there already: rules of several families repeat each other's conditions. */
function both(a: Terms, b: Terms): Terms {
	if (a.length * b.length > mostPairs) throw tooMany();
	const terms = new Map<string, readonly Comparison[]>();
	for (const one of a) {
		for (const other of b) {
			const term = other.reduce<readonly Comparison[] | undefined>((list, comparison) => list && narrowed(list, comparison), one);
			if (term) terms.set(term.map(keyOf).sort().join(' '), term);
		}
	}
	if (terms.size > most) throw tooMany();
	return [...terms.values()];
}

/** The list with one comparison more; undefined when no packet meets all of them. */
function narrowed(list: readonly Comparison[], added: Comparison): readonly Comparison[] | undefined {
	const at = list.findIndex(
		(one) => isPlain(one) && isPlain(added) && one.field === added.field && one.low === added.low && one.width === added.width,
	);
	const known = list[at];
	if (!known) return list.some((one) => keyOf(one) === keyOf(added)) ? list : [...list, added];
	const wanted = new Set(added.values.map(({ value }) => value));
	const values = known.values.filter(({ value }) => wanted.has(value));
	return values.length === 0 ? undefined : list.with(at, { ...known, values });
}

/** Equality with plain values. */
function isPlain({ relation, values }: Comparison): boolean {
	return relation === '==' && values.every(({ mask }) => mask === undefined);
}

/** A set of thousands of addresses stands in many terms. */
const keys = new WeakMap<Comparison, string>();

function keyOf(comparison: Comparison): string {
	const known = keys.get(comparison);
	if (known !== undefined) return known;
	const { field, low, width, relation, values } = comparison;
	const key = `${field}/${low}/${width}${relation}${values.map(({ value, mask }) => `${value}/${mask ?? ''}`).join(',')}`;
	keys.set(comparison, key);
	return key;
}

const tooMany = (): CodedError => new CodedError('MATCH_DEVICE', `it stands for more than ${most} rules`);

function compare(field: FieldName, relation: Relation, constants: readonly Constant[], known: KnownPort): Terms {
	const resolved = resolveField(field.name);
	if (!resolved) return never;
	if (resolved.isString) {
		if (field.name !== known.side) throw new CodedError('MATCH_DEVICE', 'it names the port at the other end');
		const isOne = constants.some((constant) =>
			constant.kind === 'string' ? constant.value === known.port : constant.kind === 'portGroup' && known.groups.includes(constant.name),
		);
		return isOne === (relation === '==') ? always : never;
	}
	const values = constants.flatMap((constant) => valuesOf(constant, field, known));
	// OVN makes a plain truth of an empty set, before it thinks of prerequisites.
	if (values.length === 0) return relation === '!=' ? always : never;
	const low = resolved.low + (field.bits?.low ?? 0);
	const width = field.bits ? field.bits.high - field.bits.low + 1 : resolved.width;
	const own: Terms = [[{ field: resolved.field, low, width, relation, values }]];
	return [...resolved.prerequisites.map((text) => holds(parseMatch(text), false, known)), own].reduce(both, always);
}

function valuesOf(constant: Constant, field: FieldName, { sets }: KnownPort): readonly SetMember[] {
	if (constant.kind === 'number') return [constant];
	const set = constant.kind === 'addressSet' ? sets[constant.name] : undefined;
	if (!set) throw unknown;
	return setMembers(set, field.name.startsWith('ip6') ? 6 : 4);
}
