import { valueAt } from '../objects.ts';
import { ageOf } from './duration.ts';
import { textAt } from './read.ts';
import type { Cell, TableColumn } from './types.ts';

export interface Column {
	readonly definition: TableColumn;
	/** `now` is milliseconds since the epoch. */
	readonly cell: (object: unknown, now: number) => Cell;
}

export function column(name: string, cell: Column['cell'], more: Partial<TableColumn> = {}): Column {
	return { definition: { name, type: 'string', format: '', description: '', priority: 0, ...more }, cell };
}

/** A column of `-o wide`. */
export function wide(name: string, cell: Column['cell']): Column {
	return column(name, cell, { priority: 1 });
}

export function integer(name: string, cell: (object: unknown) => number): Column {
	return column(name, cell, { type: 'integer' });
}

/** kubectl takes `format: name` for the column to prefix with the kind. */
export const nameColumn: Column = column('Name', (object) => textAt(object, 'metadata.name'), { format: 'name' });

export const ageColumn: Column = column('Age', (object, now) => ageOf(valueAt(object, 'metadata.creationTimestamp'), now));
