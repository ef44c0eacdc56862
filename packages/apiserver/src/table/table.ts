import type { KubeObject } from '@tapestry/kube';
import type { IncludeObject, Table, TableKind } from './types.ts';

/** Renders objects as a Table. `now` is milliseconds since the epoch. */
export function toTable(_kind: TableKind, objects: readonly KubeObject[], _now: number, _include: IncludeObject = 'Metadata'): Table {
	return {
		kind: 'Table',
		apiVersion: 'meta.k8s.io/v1',
		metadata: {},
		columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }],
		rows: objects.map((object) => ({ cells: [object.metadata.name], object })),
	};
}
