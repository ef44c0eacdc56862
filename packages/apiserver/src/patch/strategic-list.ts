import { canonicalJson, isJsonObject, type JsonObject } from '../schema/index.ts';
import type { ListMerge } from './merge-schema.ts';
import { malformed } from './patch-error.ts';
import { directiveOf, plainValue } from './strategic-directives.ts';

export type MergeItem = (target: JsonObject, patch: JsonObject) => JsonObject;

/** Merges a list by its key, or, without one, as a set of primitives. The order is the caller's task (`arrange`). */
export function mergeList(
	target: readonly unknown[],
	patch: readonly unknown[],
	rule: ListMerge,
	mergeItem: MergeItem,
): readonly unknown[] {
	if (rule.key === undefined) return union(target, patch);
	const items = patch.map((item) => keyedItem(item, rule));
	const directives = items.map(directiveOf);
	if (directives.includes('replace')) return plainValue(patch) as readonly unknown[];

	let merged = target;
	for (const [index, item] of items.entries()) {
		if (directives[index] === 'delete') {
			merged = merged.filter((candidate) => !isJsonObject(candidate) || !named(candidate, item, rule));
			continue;
		}
		const found = counterpart(merged, item, items, rule);
		if (found === undefined) merged = [...merged, plainValue(item)];
		else merged = merged.map((candidate) => (candidate === found ? mergeItem(found, item) : candidate));
	}
	return merged;
}

const union = (target: readonly unknown[], patch: readonly unknown[]): readonly unknown[] => [...new Set([...target, ...patch])];

function keyedItem(item: unknown, rule: ListMerge): JsonObject {
	if (!isJsonObject(item)) throw malformed(`an item of a list merged by ${rule.key} is not an object`, 'send objects');
	if (directiveOf(item) !== 'replace' && keyOf(item, rule) === undefined) {
		throw malformed(`an item lacks its merge key ${rule.key}: ${JSON.stringify(item)}`, `name the item by ${rule.key}`);
	}
	return item;
}

/** The item that `patch` changes: same key and same second member; or same key alone, unless the patch names several of that key. */
function counterpart(items: readonly unknown[], patch: JsonObject, all: readonly JsonObject[], rule: ListMerge): JsonObject | undefined {
	const sameKey = items.filter((item): item is JsonObject => isJsonObject(item) && keyOf(item, rule) === keyOf(patch, rule));
	const exact = sameKey.find((item) => second(item, rule) === second(patch, rule));
	if (exact) return exact;
	const rivals = all.filter((item) => keyOf(item, rule) === keyOf(patch, rule));
	return rivals.length === 1 ? sameKey[0] : undefined;
}

const keyOf = (item: JsonObject, rule: ListMerge): unknown => (rule.key === undefined ? undefined : item[rule.key]);

function second(item: JsonObject, { also }: ListMerge): unknown {
	return also && (item[also.field] ?? also.absent);
}

/** Whether `$patch: delete` on `patch` means `item`; it means all items of the key when it does not give the second member. */
function named(item: JsonObject, patch: JsonObject, rule: ListMerge): boolean {
	if (keyOf(item, rule) !== keyOf(patch, rule)) return false;
	return rule.also === undefined || patch[rule.also.field] === undefined || second(item, rule) === second(patch, rule);
}

/**
 * Puts the items that `order` names into that order; all others keep their place relative to their neighbours in `server`, and come
 * first in doubt (strategicpatch, normalizeElementOrder).
 */
export function arrange(
	merged: readonly unknown[],
	order: readonly unknown[],
	server: readonly unknown[],
	rule: ListMerge,
): readonly unknown[] {
	const rankIn = (list: readonly unknown[]): ((item: unknown) => number) => {
		const ranks = new Map<string, number>();
		for (const [index, item] of list.entries()) {
			const id = identity(item, rule);
			if (!ranks.has(id)) ranks.set(id, index);
		}
		return (item) => ranks.get(identity(item, rule)) ?? -1;
	};
	const orderRank = rankIn(order);
	const serverRank = rankIn(server);
	const ordered = merged.filter((item) => orderRank(item) >= 0).sort((a, b) => orderRank(a) - orderRank(b));
	const others = merged.filter((item) => orderRank(item) < 0);

	const result: unknown[] = [];
	for (const item of ordered) {
		const rank = serverRank(item);
		for (let next = others[0]; next !== undefined && !(rank >= 0 && rank < serverRank(next)); next = others[0]) {
			result.push(next);
			others.shift();
		}
		result.push(item);
	}
	return [...result, ...others];
}

/** Items of an order list carry the merge key only, so the second member takes no part here. */
function identity(item: unknown, rule: ListMerge): string {
	return canonicalJson(rule.key !== undefined && isJsonObject(item) ? (item[rule.key] ?? null) : item);
}
