import { formatCidr, rangeCidrs } from '@tapestry/base';
import type { DesiredRow, Fragment } from '../plan/model.ts';
import type { Read } from '../world/world.ts';

/** A pool's address set, for the policies and ACLs that users write. A set holds one family; the names are Kube-OVN's, where a pool has one. */
export function compilePool(key: string, read: Read): Fragment {
	const pool = read.get('IPPool', key);
	if (!pool?.hasAddressSet) return { rows: [] };
	const families = ([4, 6] as const).filter((family) => pool.ranges.some((range) => range.family === family));
	const rows = families.map((family): DesiredRow => {
		const name = `${poolSetName(pool.name)}${families.length > 1 ? `.v${family}` : ''}`;
		const cidrs = pool.ranges.filter((range) => range.family === family).flatMap(rangeCidrs);
		return { table: 'Address_Set', key: name, columns: { name, addresses: cidrs.map(formatCidr) }, listedIn: [] };
	});
	return { rows };
}

/** ovn-sb(5) allows letters, digits, `_` and `.` in the name of a set. */
function poolSetName(pool: string): string {
	return `ippool.${pool.replaceAll('-', '.')}`;
}
