/** Relational operators of ovn-sb(5), Logical_Flow.match. */
export type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A number as it was written: addresses and plain numbers compare alike, but print in their own form. */
export interface NumberConstant {
	readonly kind: 'number';
	readonly form: 'decimal' | 'hexadecimal' | 'ip4' | 'ip6' | 'mac';
	readonly value: bigint;
	/** Bits that count; all of them when absent. */
	readonly mask?: bigint;
}
export type Constant =
	| NumberConstant
	| { readonly kind: 'string'; readonly value: string }
	| { readonly kind: 'addressSet'; readonly name: string }
	| { readonly kind: 'portGroup'; readonly name: string };

/** A field, or some bits of it, the lowest being 0. */
export interface FieldName {
	readonly name: string;
	readonly bits?: { readonly low: number; readonly high: number };
}

/** A match expression as its text says it; chains such as `1 < tcp.src < 9` become two comparisons. */
export type Expression =
	| { readonly kind: 'constant'; readonly value: boolean }
	/** A predicate, or a field of one bit. */
	| { readonly kind: 'flag'; readonly field: FieldName }
	/** With several constants: any of them for `==`, none of them for `!=`. */
	| { readonly kind: 'compare'; readonly field: FieldName; readonly relation: Relation; readonly constants: readonly Constant[] }
	| { readonly kind: 'resident'; readonly port: string }
	| { readonly kind: 'not'; readonly part: Expression }
	| { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] };

/** Calls `visit` for every part, from the outside in. */
function walkExpression(expression: Expression, visit: (part: Expression) => void): void {
	visit(expression);
	if (expression.kind === 'not') walkExpression(expression.part, visit);
	if (expression.kind === 'and' || expression.kind === 'or') for (const part of expression.parts) walkExpression(part, visit);
}

/** Names of the address sets and port groups that the expression refers to. */
export function referencesOf(expression: Expression): {
	readonly addressSets: ReadonlySet<string>;
	readonly portGroups: ReadonlySet<string>;
} {
	const addressSets = new Set<string>();
	const portGroups = new Set<string>();
	walkExpression(expression, (part) => {
		for (const constant of part.kind === 'compare' ? part.constants : []) {
			if (constant.kind === 'addressSet') addressSets.add(constant.name);
			if (constant.kind === 'portGroup') portGroups.add(constant.name);
		}
	});
	return { addressSets, portGroups };
}
