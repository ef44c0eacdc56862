import { externalIds } from '../../api/names.ts';
import type { DesiredRow, RowName } from '../../plan/model.ts';
import type { Direction } from '../../world/policies.ts';

/** Where a verdict comes from: `Kind/namespace/name` of the object, and the place in its YAML. */
export interface Origin {
	readonly by: string;
	readonly path: string;
}

export interface AclRow {
	readonly key: string;
	readonly direction: Direction;
	readonly priority: number;
	readonly match: string;
	readonly action: 'allow' | 'drop' | 'reject';
	/** Of the verdict. */
	readonly origin: Origin;
	/** Rules of other families that agree, when all had to. */
	readonly also?: readonly Origin[];
	/** The port group that holds the row: its switches are where the row applies. */
	readonly group: RowName;
	/** Of what a port sends: whether Services' addresses are still to be replaced by their endpoints'. */
	readonly isBeforeServices?: boolean;
}

/**
 * One ACL. Everything that passes is tracked (`allow-related`), so that replies pass whatever their own direction says. What a port sends is looked
 * at after Services' addresses have become those of endpoints (ovn-nb(5), `apply-after-lb`), because policies speak of pods.
 */
export function aclRow(acl: AclRow): DesiredRow {
	const isSent = acl.direction === 'egress';
	const also = (acl.also ?? []).map(({ by, path }) => `${by} ${path}`).join('\n');
	return {
		table: 'ACL',
		key: acl.key,
		columns: {
			direction: isSent ? 'from-lport' : 'to-lport',
			priority: acl.priority,
			match: acl.match,
			action: acl.action === 'allow' ? 'allow-related' : acl.action,
			options: isSent && !acl.isBeforeServices ? { 'apply-after-lb': 'true' } : {},
			external_ids: {
				[externalIds.by]: acl.origin.by,
				[externalIds.path]: acl.origin.path,
				...(also === '' ? {} : { [externalIds.also]: also }),
			},
		},
		listedIn: [{ ...acl.group, column: 'acls' }],
	};
}
