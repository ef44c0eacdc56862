import { valueAt } from '../objects.ts';
import { ageColumn, type Column, column, integer, nameColumn, wide } from './column.ts';
import { formatLabels, formatSelector } from './labels.ts';
import { listAt, mapAt, numberAt, textAt } from './read.ts';

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

export const daemonSetColumns: readonly Column[] = [
	nameColumn,
	integer('Desired', (object) => numberAt(object, 'status.desiredNumberScheduled')),
	integer('Current', (object) => numberAt(object, 'status.currentNumberScheduled')),
	integer('Ready', (object) => numberAt(object, 'status.numberReady')),
	integer('Up-to-date', (object) => numberAt(object, 'status.updatedNumberScheduled')),
	integer('Available', (object) => numberAt(object, 'status.numberAvailable')),
	column('Node Selector', (object) => formatLabels(mapAt(object, 'spec.template.spec.nodeSelector'))),
	ageColumn,
	...containerColumns,
	selectorColumn,
];
