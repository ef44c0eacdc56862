import { type Column, column, nameColumn } from './column.ts';
import { ageOf } from './duration.ts';
import { compileJsonPath } from './json-path.ts';
import type { Cell, PrinterColumn } from './types.ts';

/** The columns of a custom resource that declares some (apiextensions-apiserver, pkg/registry/customresource/tableconvertor). */
export function printerColumns(columns: readonly PrinterColumn[]): readonly Column[] {
	return [nameColumn, ...columns.map(printerColumn)];
}

function printerColumn(declared: PrinterColumn): Column {
	const { name, type, format = '', description = '', priority = 0 } = declared;
	const select = compileJsonPath(declared.jsonPath);
	return column(name, (object, now) => cellOf(type, select?.(object)[0], now), { type, format, description, priority });
}

/** A value of another type than the column's is not shown. */
function cellOf(type: string, value: unknown, now: number): Cell {
	if (value === undefined || value === null) return null;
	switch (type) {
		case 'string':
			return typeof value === 'object' ? JSON.stringify(value) : String(value);
		case 'integer':
			return typeof value === 'number' ? Math.trunc(value) : null;
		case 'number':
			return typeof value === 'number' ? value : null;
		case 'boolean':
			return typeof value === 'boolean' ? value : null;
		case 'date':
			return typeof value === 'string' ? ageOf(value, now) : null;
		default:
			return null;
	}
}
