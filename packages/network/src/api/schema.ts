/** The part of OpenAPI v3 that a structural CustomResourceDefinition schema may use, as far as our kinds need it. */
export interface JsonSchema {
	readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
	readonly description?: string;
	readonly default?: unknown;
	readonly enum?: readonly string[];
	readonly format?: string;
	readonly pattern?: string;
	readonly minLength?: number;
	readonly maxLength?: number;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly minItems?: number;
	readonly items?: JsonSchema;
	readonly properties?: Readonly<Record<string, JsonSchema>>;
	readonly required?: readonly string[];
	readonly additionalProperties?: JsonSchema;
	readonly 'x-kubernetes-preserve-unknown-fields'?: true;
	readonly 'x-kubernetes-int-or-string'?: true;
	readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
	readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

declare const type: unique symbol;

/** A schema that knows the TypeScript type of its values, so that a kind is written down once. */
export interface Schema<T> extends JsonSchema {
	/** Exists only for the compiler. */
	readonly [type]?: T;
}

/** The type of the values that a schema describes. */
export type TypeOf<S> = S extends Schema<infer T> ? T : never;

type Properties = Readonly<Record<string, JsonSchema>>;
type Values<P extends Properties, R extends keyof P> = Flat<
	{ readonly [K in R]: TypeOf<P[K]> } & { readonly [K in Exclude<keyof P, R>]?: TypeOf<P[K]> }
>;
type Flat<T> = { [K in keyof T]: T[K] };

type StringRules = Pick<JsonSchema, 'default' | 'format' | 'pattern' | 'minLength' | 'maxLength'>;
type NumberRules = Pick<JsonSchema, 'default' | 'format' | 'minimum' | 'maximum'>;
type ArrayRules = Pick<JsonSchema, 'default' | 'minItems' | 'x-kubernetes-list-type' | 'x-kubernetes-list-map-keys'>;

export function string(description: string, rules: StringRules = {}): Schema<string> {
	return { type: 'string', description, ...rules };
}

/** A string out of a fixed list. */
export function oneOf<const V extends readonly string[]>(
	values: V,
	description: string,
	rules: { readonly default?: V[number] } = {},
): Schema<V[number]> {
	return { type: 'string', description, enum: values, ...rules };
}

export function integer(description: string, rules: NumberRules = {}): Schema<number> {
	return { type: 'integer', description, ...rules };
}

export function number(description: string): Schema<number> {
	return { type: 'number', description };
}

export function boolean(description: string, rules: { readonly default?: boolean } = {}): Schema<boolean> {
	return { type: 'boolean', description, ...rules };
}

/** An integer or text, like a quantity or a port. */
export function intOrString(description: string): Schema<number | string> {
	return { description, 'x-kubernetes-int-or-string': true };
}

export function arrayOf<T>(items: Schema<T>, description: string, rules: ArrayRules = {}): Schema<readonly T[]> {
	return { type: 'array', description, items, ...rules };
}

export function mapOf<T>(values: Schema<T>, description: string): Schema<Readonly<Record<string, T>>> {
	return { type: 'object', description, additionalProperties: values };
}

export function object<const P extends Properties, const R extends keyof P & string = never>(
	description: string,
	properties: P,
	required: readonly R[] = [],
): Schema<Values<P, R>> {
	return { type: 'object', description, properties, ...(required.length === 0 ? {} : { required }) };
}

/** Like `object`, but fields that are not listed are kept instead of pruned. */
export function openObject<const P extends Properties, const R extends keyof P & string = never>(
	description: string,
	properties: P,
	required: readonly R[] = [],
): Schema<Values<P, R>> {
	return { ...object(description, properties, required), 'x-kubernetes-preserve-unknown-fields': true };
}
