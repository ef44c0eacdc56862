import { isRecord, valueAt } from '../objects.ts';
import type { JsonObject } from '../schema/index.ts';

/** Readers for objects that nobody has validated: what is missing or of another type reads as empty. Paths are dotted. */
export function textAt(object: unknown, path: string): string {
	const value = valueAt(object, path);
	return typeof value === 'string' ? value : '';
}

export function numberAt(object: unknown, path: string): number {
	const value = valueAt(object, path);
	return typeof value === 'number' ? value : 0;
}

export function listAt(object: unknown, path: string): readonly unknown[] {
	const value = valueAt(object, path);
	return Array.isArray(value) ? value : [];
}

export function mapAt(object: unknown, path: string): JsonObject {
	const value = valueAt(object, path);
	return isRecord(value) ? value : {};
}

export const orElse = (text: string, fallback: string): string => (text === '' ? fallback : text);
export const orNone = (text: string): string => orElse(text, '<none>');

/** At most three, then a count, as kubectl shows endpoints. */
export function firstThree(items: readonly string[], empty: string): string {
	const shown = orElse(items.slice(0, 3).join(','), empty);
	return items.length > 3 ? `${shown} + ${items.length - 3} more...` : shown;
}

/** The status of one of `status.conditions`, or undefined. */
export function conditionStatus(object: unknown, type: string): string | undefined {
	const condition = listAt(object, 'status.conditions').find((candidate) => textAt(candidate, 'type') === type);
	return condition === undefined ? undefined : textAt(condition, 'status');
}
