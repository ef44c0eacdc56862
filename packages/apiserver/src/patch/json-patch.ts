import { applyPatch, type Operation } from 'rfc6902';
import { isJsonObject } from '../schema/index.ts';
import { inapplicable, malformed } from './patch-error.ts';

/** Operations of RFC 6902 section 4, and whether each reads `value` or `from`. */
const operations: ReadonlyMap<string, 'value' | 'from' | undefined> = new Map([
	['add', 'value'],
	['remove', undefined],
	['replace', 'value'],
	['move', 'from'],
	['copy', 'from'],
	['test', 'value'],
]);

/**
 * RFC 6902. All or nothing: `document` is never changed. Throws CodedError PATCH_INVALID; `details.fault` is `malformed` (400) or
 * `inapplicable` (422: a path is missing, a test failed).
 */
export function applyJsonPatch(document: object, patch: unknown): object {
	if (!Array.isArray(patch))
		throw malformed('a JSON patch is an array of operations', 'send [{"op": "replace", "path": "/spec/x", "value": 1}]');
	const root = { document: structuredClone(document) };
	for (const [index, item] of patch.entries()) applyOperation(root, parseOperation(item, index), index);
	if (!isJsonObject(root.document)) throw inapplicable('the result is not an object', 'do not remove or replace the whole document');
	return root.document;
}

function parseOperation(item: unknown, index: number): Operation {
	const fail = (why: string): Error => malformed(`operation ${index}: ${why}`, 'see RFC 6902 section 4');
	if (!isJsonObject(item)) throw fail('it is not an object');
	if (typeof item.op !== 'string' || !operations.has(item.op)) throw fail(`op ${JSON.stringify(item.op)} is unknown`);
	const operand = operations.get(item.op);
	if (!isPointer(item.path)) throw fail('path is not a JSON pointer');
	if (operand === 'from' && !isPointer(item.from)) throw fail('from is not a JSON pointer');
	if (operand === 'value' && !Object.hasOwn(item, 'value')) throw fail('value is missing');
	return item as unknown as Operation;
}

const isPointer = (value: unknown): value is string => typeof value === 'string' && (value === '' || value.startsWith('/'));

/** The library works inside a wrapper, so that the empty pointer names a member like any other. */
function applyOperation(root: { document: object }, operation: Operation, index: number): void {
	const adds = operation.op === 'add' || operation.op === 'move' || operation.op === 'copy';
	const [path, from] = [operation.path, 'from' in operation ? operation.from : undefined];
	const missing = [
		from !== undefined && !resolves(root.document, from, false) ? from : undefined,
		resolves(root.document, path, adds) ? undefined : path,
	];
	for (const pointer of missing) {
		if (pointer !== undefined)
			throw inapplicable(`operation ${index} (${operation.op}): there is no ${pointer}`, 'read the object again and correct the path');
	}
	const moved = { ...operation, path: `/document${path}`, ...(from === undefined ? {} : { from: `/document${from}` }) } as Operation;
	const [error] = applyPatch(root, [moved]);
	if (!error) return;
	if (error.name === 'TestError') {
		throw inapplicable(
			`operation ${index}: the value at ${path} is not the one to test for`,
			'read the object again and patch what it says now',
		);
	}
	throw inapplicable(`operation ${index} (${operation.op} ${path}): ${error.message}`, 'read the object again and correct the path');
}

/**
 * True when `pointer` names something in `document`, or, with `adding`, a place where a member or item may be put. Stricter than the
 * library, which follows inherited members and takes `length` for an index.
 */
function resolves(document: unknown, pointer: string, adding: boolean): boolean {
	const tokens = pointer.split('/').slice(1);
	let value = document;
	for (const [depth, escaped] of tokens.entries()) {
		const token = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
		const last = depth === tokens.length - 1;
		if (unsafe.has(token)) return false;
		if (Array.isArray(value)) {
			if (last && adding && (token === '-' || token === `${value.length}`)) return true;
			if (!/^(0|[1-9]\d*)$/.test(token) || Number(token) >= value.length) return false;
			value = value[Number(token)];
		} else if (isJsonObject(value)) {
			if (last && adding) return true;
			if (!Object.hasOwn(value, token)) return false;
			value = value[token];
		} else {
			return false;
		}
	}
	return true;
}

/** The library skips these tokens, and would change the parent instead. */
const unsafe: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
