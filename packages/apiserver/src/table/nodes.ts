import { valueAt } from '../objects.ts';
import { ageColumn, type Column, column, nameColumn, wide } from './column.ts';
import { conditionStatus, listAt, mapAt, orElse, orNone, textAt } from './read.ts';

export const nodeColumns: readonly Column[] = [
	nameColumn,
	column('Status', (node) => {
		const ready = nodeStatus(conditionStatus(node, 'Ready'));
		return valueAt(node, 'spec.unschedulable') === true ? `${ready},SchedulingDisabled` : ready;
	}),
	column('Roles', (node) => orNone(roles(node).join(','))),
	ageColumn,
	column('Version', (node) => textAt(node, 'status.nodeInfo.kubeletVersion')),
	wide('Internal-IP', (node) => orNone(address(node, 'InternalIP'))),
	wide('External-IP', (node) => orNone(address(node, 'ExternalIP'))),
	wide('OS-Image', (node) => info(node, 'osImage')),
	wide('Kernel-Version', (node) => info(node, 'kernelVersion')),
	wide('Container-Runtime', (node) => info(node, 'containerRuntimeVersion')),
];

const nodeStatus = (ready: string | undefined): string => (ready === undefined ? 'Unknown' : ready === 'True' ? 'Ready' : 'NotReady');
const info = (node: unknown, key: string): string => orElse(textAt(node, `status.nodeInfo.${key}`), '<unknown>');

function address(node: unknown, type: string): string {
	return textAt(
		listAt(node, 'status.addresses').find((candidate) => textAt(candidate, 'type') === type),
		'address',
	);
}

/** `node-role.kubernetes.io/ROLE` as a key, or `kubernetes.io/role` with the role as its value. */
function roles(node: unknown): readonly string[] {
	const prefix = 'node-role.kubernetes.io/';
	const names = Object.entries(mapAt(node, 'metadata.labels')).map(([key, value]) => {
		if (key.startsWith(prefix)) return key.slice(prefix.length);
		return key === 'kubernetes.io/role' ? String(value) : '';
	});
	return [...new Set(names)].filter((name) => name !== '').sort();
}
