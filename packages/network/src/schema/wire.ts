/** A row's UUID in its printed form. */
export type Uuid = string;

/** RFC 7047 section 5.1 <atom>. */
export type WireAtom = string | number | boolean | readonly ['uuid', Uuid] | readonly ['named-uuid', string];
/** RFC 7047 section 5.1 <value>. */
export type WireValue = WireAtom | readonly ['set', readonly WireAtom[]] | readonly ['map', readonly (readonly [WireAtom, WireAtom])[]];
export type WireRow = Readonly<Record<string, WireValue>>;

/** A reference that a transaction resolves: an existing row, or one that the same transaction inserts. */
export type Ref = { readonly uuid: Uuid } | { readonly named: string };
export type Atom = string | number | boolean | Ref;
/**
 * A column as code uses it: a scalar; `undefined` for an absent optional; an array for a set; an object for a map. References read from the
 * database are plain UUID strings.
 */
export type Value = Atom | undefined | readonly Atom[] | Readonly<Record<string, Atom>>;
/** A decoded row. `_uuid` is always there on rows read from the database. */
export type Row = Readonly<Record<string, Value>>;

/** RFC 7047 section 5.1 <condition>. */
export type Condition = readonly [column: string, fn: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes', value: WireValue];
export type Mutation = readonly [column: string, mutator: '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete', value: WireValue];

/** RFC 7047 section 5.2. */
export type Operation =
	| { readonly op: 'insert'; readonly table: string; readonly row: WireRow; readonly 'uuid-name'?: string }
	| { readonly op: 'select'; readonly table: string; readonly where: readonly Condition[]; readonly columns?: readonly string[] }
	| { readonly op: 'update'; readonly table: string; readonly where: readonly Condition[]; readonly row: WireRow }
	| { readonly op: 'mutate'; readonly table: string; readonly where: readonly Condition[]; readonly mutations: readonly Mutation[] }
	| { readonly op: 'delete'; readonly table: string; readonly where: readonly Condition[] }
	| {
			readonly op: 'wait';
			readonly table: string;
			readonly where: readonly Condition[];
			readonly columns: readonly string[];
			readonly until: '==' | '!=';
			readonly rows: readonly WireRow[];
			readonly timeout?: number;
	  }
	| { readonly op: 'commit'; readonly durable: boolean }
	| { readonly op: 'abort' }
	| { readonly op: 'comment'; readonly comment: string }
	| { readonly op: 'assert'; readonly lock: string };

export interface OperationResult {
	readonly uuid?: readonly ['uuid', Uuid];
	readonly rows?: readonly WireRow[];
	readonly count?: number;
}
