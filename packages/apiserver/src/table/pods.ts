import { valueAt } from '../objects.ts';
import { ageColumn, type Column, column, nameColumn, wide } from './column.ts';
import { humanDuration } from './duration.ts';
import { conditionStatus, listAt, numberAt, orNone, textAt } from './read.ts';

export const podColumns: readonly Column[] = [
	nameColumn,
	column('Ready', (pod) => {
		const { ready, total } = summarize(pod);
		return `${ready}/${total}`;
	}),
	column('Status', (pod) => summarize(pod).status),
	column('Restarts', (pod, now) => {
		const { restarts, lastRestart } = summarize(pod);
		return restarts > 0 && lastRestart !== undefined ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : `${restarts}`;
	}),
	ageColumn,
	wide('IP', (pod) => orNone(textAt(listAt(pod, 'status.podIPs')[0], 'ip') || textAt(pod, 'status.podIP'))),
	wide('Node', (pod) => orNone(textAt(pod, 'spec.nodeName'))),
	wide('Nominated Node', (pod) => orNone(textAt(pod, 'status.nominatedNodeName'))),
	wide('Readiness Gates', readinessGates),
];

interface PodSummary {
	readonly status: string;
	readonly ready: number;
	readonly total: number;
	readonly restarts: number;
	/** Milliseconds since the epoch. */
	readonly lastRestart: number | undefined;
}

/** The reasoning of kubectl's own printer (kubernetes/pkg/printers/internalversion, printPod). */
function summarize(pod: unknown): PodSummary {
	const sidecars = listAt(pod, 'status.initContainerStatuses').filter((status) => isStartedSidecar(pod, status));
	const init = initStatus(pod);
	const containers = listAt(pod, 'status.containerStatuses');
	const started = init === undefined || conditionStatus(pod, 'Initialized') === 'True';
	const counted = started ? [...sidecars, ...containers] : listAt(pod, 'status.initContainerStatuses');
	const finishes = counted.map((status) => Date.parse(textAt(status, 'lastState.terminated.finishedAt'))).filter(Number.isFinite);
	return {
		status: deletionStatus(pod) ?? (started ? containersStatus(pod, containers) : init),
		ready: sidecars.filter((status) => valueAt(status, 'ready') === true).length + (started ? containers.filter(isRunning).length : 0),
		total: listAt(pod, 'spec.containers').length + listAt(pod, 'spec.initContainers').filter(isSidecar).length,
		restarts: counted.reduce<number>((sum, status) => sum + numberAt(status, 'restartCount'), 0),
		lastRestart: finishes.length > 0 ? Math.max(...finishes) : undefined,
	};
}

const isSidecar = (container: unknown): boolean => textAt(container, 'restartPolicy') === 'Always';
const isRunning = (status: unknown): boolean => valueAt(status, 'ready') === true && valueAt(status, 'state.running') !== undefined;

function isStartedSidecar(pod: unknown, status: unknown): boolean {
	const container = listAt(pod, 'spec.initContainers').find((candidate) => textAt(candidate, 'name') === textAt(status, 'name'));
	return isSidecar(container) && valueAt(status, 'started') === true;
}

/** `Init:...` for the first init container that has not done its work; undefined when all have. */
function initStatus(pod: unknown): string | undefined {
	const statuses = listAt(pod, 'status.initContainerStatuses');
	for (const [index, status] of statuses.entries()) {
		const terminated = valueAt(status, 'state.terminated');
		if ((terminated !== undefined && numberAt(terminated, 'exitCode') === 0) || isStartedSidecar(pod, status)) continue;
		if (terminated !== undefined) return `Init:${textAt(terminated, 'reason') || exit(terminated)}`;
		const waiting = textAt(status, 'state.waiting.reason');
		if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
		return `Init:${index}/${listAt(pod, 'spec.initContainers').length}`;
	}
	return undefined;
}

function containersStatus(pod: unknown, containers: readonly unknown[]): string {
	// The first container that has a reason decides.
	const reason = containers.map(containerReason).find((text) => text !== '') ?? phaseReason(pod);
	if (reason !== 'Completed' || !containers.some(isRunning)) return reason;
	return conditionStatus(pod, 'Ready') === 'True' ? 'Running' : 'NotReady';
}

function containerReason(status: unknown): string {
	const waiting = textAt(status, 'state.waiting.reason');
	if (waiting !== '') return waiting;
	const terminated = valueAt(status, 'state.terminated');
	return terminated === undefined ? '' : textAt(terminated, 'reason') || exit(terminated);
}

function exit(terminated: unknown): string {
	const signal = numberAt(terminated, 'signal');
	return signal === 0 ? `ExitCode:${numberAt(terminated, 'exitCode')}` : `Signal:${signal}`;
}

function phaseReason(pod: unknown): string {
	const scheduled = listAt(pod, 'status.conditions').find((condition) => textAt(condition, 'type') === 'PodScheduled');
	if (textAt(scheduled, 'reason') === 'SchedulingGated') return 'SchedulingGated';
	return textAt(pod, 'status.reason') || textAt(pod, 'status.phase');
}

function deletionStatus(pod: unknown): string | undefined {
	if (textAt(pod, 'metadata.deletionTimestamp') === '') return undefined;
	if (textAt(pod, 'status.reason') === 'NodeLost') return 'Unknown';
	return ['Succeeded', 'Failed'].includes(textAt(pod, 'status.phase')) ? undefined : 'Terminating';
}

function readinessGates(pod: unknown): string {
	const gates = listAt(pod, 'spec.readinessGates');
	if (gates.length === 0) return '<none>';
	return `${gates.filter((gate) => conditionStatus(pod, textAt(gate, 'conditionType')) === 'True').length}/${gates.length}`;
}
