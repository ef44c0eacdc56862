import { valueAt } from '../objects.ts';
import { ageColumn, type Column, column, integer, nameColumn, wide } from './column.ts';
import { formatSelector } from './labels.ts';
import { listAt, numberAt, textAt } from './read.ts';

const containers = (object: unknown): readonly unknown[] => listAt(object, 'spec.template.spec.containers');
const containerColumns: readonly Column[] = [
	wide('Containers', (object) =>
		containers(object)
			.map((container) => textAt(container, 'name'))
			.join(','),
	),
	wide('Images', (object) =>
		containers(object)
			.map((container) => textAt(container, 'image'))
			.join(','),
	),
];
const selectorColumn = wide('Selector', (object) => formatSelector(valueAt(object, 'spec.selector')));
const readyColumn = column('Ready', (object) => `${numberAt(object, 'status.readyReplicas')}/${numberAt(object, 'spec.replicas')}`);

export const deploymentColumns: readonly Column[] = [
	nameColumn,
	readyColumn,
	integer('Up-to-date', (object) => numberAt(object, 'status.updatedReplicas')),
	integer('Available', (object) => numberAt(object, 'status.availableReplicas')),
	ageColumn,
	...containerColumns,
	selectorColumn,
];

export const statefulSetColumns: readonly Column[] = [nameColumn, readyColumn, ageColumn, ...containerColumns];

export const replicaSetColumns: readonly Column[] = [
	nameColumn,
	integer('Desired', (object) => numberAt(object, 'spec.replicas')),
	integer('Current', (object) => numberAt(object, 'status.replicas')),
	integer('Ready', (object) => numberAt(object, 'status.readyReplicas')),
	ageColumn,
	...containerColumns,
	selectorColumn,
];
