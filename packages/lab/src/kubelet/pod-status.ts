import {
	type Condition,
	type Container,
	type ContainerStatus,
	type Pod,
	type PodPhase,
	type PodStatus,
	setCondition,
	timestamp,
} from '@tapestry/kube';
import { isLauncher } from '@tapestry/network';
import { hasEnded, isRefused, restartTime } from './decide.ts';
import type { ContainerRecord, PodRecord } from './record.ts';

/** What users are told about a container that stands in for its image. */
export const imageNotRun = 'the lab does not run images: an HTTP responder stands in for each container';

const hostNetworkRefused =
	'the lab does not run pods with hostNetwork: their responder would take ports of the node (fix: leave hostNetwork out)';

/** The status that a pod should have, from what its kubelet knows. `hostIps` are the node's addresses; `now` is milliseconds since the epoch. */
export function podStatus(pod: Pod, record: PodRecord | undefined, hostIps: readonly string[], now: number): PodStatus {
	const host = { hostIP: hostIps[0] ?? '', hostIPs: hostIps.map((ip) => ({ ip })) };
	if (isRefused(pod)) {
		return {
			phase: 'Failed',
			reason: 'HostNetwork',
			message: hostNetworkRefused,
			...host,
			startTime: pod.status?.startTime ?? timestamp(now),
		};
	}
	// What has ended stays as it was: the sandbox and its addresses are gone.
	if (isFinal(pod.status?.phase)) return pod.status ?? {};
	const containers = pod.spec?.containers ?? [];
	const statuses = containers.map((container) => containerStatus(container, record, now));
	const phase = phaseOf(pod, record);
	const ips = pod.spec?.hostNetwork ? hostIps : addressesOf(record);
	return {
		phase,
		...host,
		...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
		startTime: record?.startTime ?? pod.status?.startTime ?? timestamp(now),
		...(isLauncher(pod) ? {} : { message: imageNotRun }),
		conditions: conditionsOf(pod, statuses, phase, now),
		containerStatuses: statuses,
	};
}

/** The addresses that the network has given, without their prefix lengths; the first of each family. */
export function addressesOf(record: PodRecord | undefined): readonly string[] {
	const all = (record?.sandbox?.result?.ips ?? []).map(({ address }) => address.replace(/\/\d+$/, ''));
	const first = (ipv6: boolean): readonly string[] => all.filter((address) => address.includes(':') === ipv6).slice(0, 1);
	return all[0]?.includes(':') ? [...first(true), ...first(false)] : [...first(false), ...first(true)];
}

function isFinal(phase: PodPhase | undefined): boolean {
	return phase === 'Succeeded' || phase === 'Failed';
}

function phaseOf(pod: Pod, record: PodRecord | undefined): PodPhase {
	const containers = (pod.spec?.containers ?? []).map(({ name }) => record?.containers[name]);
	const deleted = pod.metadata.deletionTimestamp !== undefined && containers.every((one) => one?.pid === undefined);
	if (hasEnded(pod, record) || (deleted && containers.some((one) => one !== undefined))) {
		return containers.every((one) => one?.exit?.status === 0) ? 'Succeeded' : 'Failed';
	}
	return containers.every((one) => one !== undefined) && containers.length > 0 ? 'Running' : 'Pending';
}

function containerStatus(container: Container, record: PodRecord | undefined, now: number): ContainerStatus {
	const known = record?.containers[container.name];
	const base = { name: container.name, image: container.image ?? '', imageID: '', restartCount: known?.restarts ?? 0 };
	if (known === undefined) {
		return { ...base, ready: false, started: false, state: { waiting: { reason: 'ContainerCreating' } } };
	}
	const last = known.exit === undefined ? {} : { lastState: terminated(known) };
	if (known.pid !== undefined) {
		const state = { running: { startedAt: known.startedAt } };
		return { ...base, ...last, ready: known.ready, started: known.ready, state };
	}
	const pause = restartTime(known) - now;
	if (pause <= 0 || record?.stopping) return { ...base, ready: false, started: false, state: terminated(known) };
	const waiting = { reason: 'CrashLoopBackOff', message: `starts again at ${timestamp(restartTime(known))}` };
	return { ...base, ...last, ready: false, started: false, state: { waiting } };
}

function terminated({ exit, startedAt }: ContainerRecord): ContainerStatus['state'] & object {
	const { status = 0, finishedAt = startedAt } = exit ?? {};
	return { terminated: { exitCode: status, reason: status === 0 ? 'Completed' : 'Error', finishedAt } };
}

/** Each condition has a reason and a message, if empty ones: a patch would leave those of an earlier state. */
function conditionsOf(pod: Pod, statuses: readonly ContainerStatus[], phase: PodPhase, now: number): readonly Condition[] {
	const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
	const ready: Pick<Condition, 'status' | 'reason' | 'message'> =
		unready.length === 0
			? { status: 'True', reason: '', message: '' }
			: isFinal(phase)
				? { status: 'False', reason: 'PodCompleted', message: '' }
				: { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
	const conditions: readonly Omit<Condition, 'lastTransitionTime'>[] = [
		{ type: 'PodScheduled', status: 'True' },
		{ type: 'Initialized', status: 'True' },
		{ type: 'ContainersReady', ...ready },
		{ type: 'Ready', ...ready },
	];
	return conditions.reduce((current, condition) => setCondition(current, condition, now), pod.status?.conditions ?? []);
}
