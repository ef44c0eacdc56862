import { isJsonObject, type JsonObject } from '../schema/index.ts';
import { malformed } from './patch-error.ts';

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/** One level of a strategic merge patch, its directives apart from its members. */
export interface PatchLevel {
	readonly members: ReadonlyMap<string, unknown>;
	/** By field: the order that the items named in the list shall have. */
	readonly order: ReadonlyMap<string, readonly unknown[]>;
	/** By field: the primitives to take out. */
	readonly deletions: ReadonlyMap<string, readonly unknown[]>;
	/** The only members that may stay, or undefined for all. */
	readonly retainKeys: readonly unknown[] | undefined;
}

export function readLevel(patch: JsonObject): PatchLevel {
	const members = new Map<string, unknown>();
	const order = new Map<string, readonly unknown[]>();
	const deletions = new Map<string, readonly unknown[]>();
	let retainKeys: readonly unknown[] | undefined;
	for (const [key, value] of Object.entries(patch)) {
		if (key === '$retainKeys') retainKeys = directiveList(key, value);
		else if (key.startsWith(orderPrefix)) order.set(key.slice(orderPrefix.length), directiveList(key, value));
		else if (key.startsWith(deletePrefix)) deletions.set(key.slice(deletePrefix.length), directiveList(key, value));
		else if (key !== '$patch') members.set(key, value);
	}
	return { members, order, deletions, retainKeys };
}

function directiveList(name: string, value: unknown): readonly unknown[] {
	if (Array.isArray(value)) return value;
	throw malformed(`${name} is not a list`, 'give it a list');
}

export type PatchDirective = 'merge' | 'replace' | 'delete';

export function directiveOf(patch: JsonObject): PatchDirective {
	const directive = patch.$patch;
	if (directive === undefined || directive === 'merge') return 'merge';
	if (directive === 'replace' || directive === 'delete') return directive;
	throw malformed(`$patch: ${JSON.stringify(directive)} is unknown`, 'use merge, replace or delete');
}

/** A part of a patch as the value it stands for where the document has none: without directives, deleted items and nulls. */
export function plainValue(patch: unknown): unknown {
	if (Array.isArray(patch)) {
		return patch.filter((item) => !isJsonObject(item) || isValue(item)).map(plainValue);
	}
	if (!isJsonObject(patch)) return patch;
	if (directiveOf(patch) === 'delete') return {};
	const members = [...readLevel(patch).members].filter(([, value]) => value !== null);
	return Object.fromEntries(members.map(([key, value]) => [key, plainValue(value)]));
}

/** False for list items that only carry a directive. */
function isValue(item: JsonObject): boolean {
	const directive = directiveOf(item);
	return directive === 'merge' || (directive === 'replace' && Object.keys(item).length > 1);
}
