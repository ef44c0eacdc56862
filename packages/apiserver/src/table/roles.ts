import { ageColumn, type Column, column, nameColumn, wide } from './column.ts';
import { listAt, textAt } from './read.ts';

/** The names of the subjects of one kind. */
function subjects(binding: unknown, kind: string): string {
	return listAt(binding, 'subjects')
		.filter((subject) => textAt(subject, 'kind') === kind)
		.map((subject) => [textAt(subject, 'namespace'), textAt(subject, 'name')].filter((part) => part !== '').join('/'))
		.join(', ');
}

export const bindingColumns: readonly Column[] = [
	nameColumn,
	column('Role', (binding) => `${textAt(binding, 'roleRef.kind')}/${textAt(binding, 'roleRef.name')}`),
	ageColumn,
	wide('Users', (binding) => subjects(binding, 'User')),
	wide('Groups', (binding) => subjects(binding, 'Group')),
	wide('ServiceAccounts', (binding) => subjects(binding, 'ServiceAccount')),
];
