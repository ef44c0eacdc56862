import type { KubeObject } from '@tapestry/kube';
import { builtinColumns } from './builtin.ts';
import { ageColumn, type Column, nameColumn } from './column.ts';
import { printerColumns } from './printer-columns.ts';
import type { IncludeObject, Table, TableKind } from './types.ts';

/** Renders objects as a Table. `now` is milliseconds since the epoch. */
export function toTable(kind: TableKind, objects: readonly KubeObject[], now: number, include: IncludeObject = 'Metadata'): Table {
	const columns = columnsOf(kind);
	return {
		kind: 'Table',
		apiVersion: 'meta.k8s.io/v1',
		metadata: {},
		columnDefinitions: columns.map((column) => column.definition),
		rows: objects.map((object) => ({ cells: columns.map((column) => column.cell(object, now)), ...rowObject(object, include) })),
	};
}

function columnsOf({ group, kind, columns }: TableKind): readonly Column[] {
	if (columns && columns.length > 0) return printerColumns(columns);
	return builtinColumns.get(`${group}/${kind}`) ?? [nameColumn, ageColumn];
}

function rowObject(object: KubeObject, include: IncludeObject): { readonly object?: object } {
	if (include === 'None') return {};
	if (include === 'Object') return { object };
	return { object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata } };
}
