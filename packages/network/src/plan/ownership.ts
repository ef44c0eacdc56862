import { externalIds } from '../api/names.ts';
import type { TableMeta } from '../schema/meta.ts';
import type { Row, Value } from '../schema/wire.ts';
import type { DesiredRow, DesiredValue, Owner } from './model.ts';

const { vendor, vendorName, owner: ownerId, key: keyId } = externalIds;

export interface Mark {
	readonly owner: Owner;
	readonly key: string;
}

/** Who made the row, when we did. */
export function markOf(meta: TableMeta, row: Row): Mark | undefined {
	if (!hasExternalIds(meta)) return markInName(row.name);
	const ids = row.external_ids as Readonly<Record<string, string>> | undefined;
	const owner = ids?.[ownerId];
	const key = ids?.[keyId];
	return ids?.[vendor] === vendorName && owner !== undefined && key !== undefined ? { owner, key } : undefined;
}

/** The columns of a row with the mark of its owner added. */
export function markedColumns(meta: TableMeta, owner: Owner, row: DesiredRow): Readonly<Record<string, DesiredValue>> {
	if (!hasExternalIds(meta)) return row.columns;
	const ids = {
		...(row.columns.external_ids as Readonly<Record<string, string>> | undefined),
		[vendor]: vendorName,
		[ownerId]: owner,
		[keyId]: row.key,
	};
	return { ...row.columns, external_ids: ids };
}

/** The name that marks a row of a table without external_ids (Load_Balancer_Group): its owner can have one row in that table. */
export function ownedName(owner: Owner): string {
	return `${vendorName}:${owner}`;
}

function markInName(name: Value): Mark | undefined {
	if (typeof name !== 'string' || !name.startsWith(`${vendorName}:`)) return undefined;
	return { owner: name.slice(vendorName.length + 1), key: name };
}

function hasExternalIds(meta: TableMeta): boolean {
	return meta.columns.external_ids !== undefined;
}
