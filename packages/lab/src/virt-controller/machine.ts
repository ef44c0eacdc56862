import { sentence } from '@tapestry/base';
import { type Condition, findCondition, setCondition, timestamp } from '@tapestry/kube';
import type { VirtualMachine, VirtualMachineInstance, VirtualMachineStatus } from '@tapestry/network';
import { synchronizedCondition } from './instance.ts';
import { newInstance } from './new-instance.ts';
import { hasEnded, type InstanceStatus } from './phase.ts';
import { findProblem } from './problem.ts';
import { openRequests, type StateChangeRequest } from './state-change.ts';

/** KubeVirt's record of instances that ended although the machine should run. */
export interface StartFailure {
	readonly consecutiveFailCount: number;
	readonly lastFailedVMIUID: string;
	readonly retryAfterTimestamp: string;
}

export type MachineStatus = VirtualMachineStatus & {
	readonly startFailure?: StartFailure;
	readonly stateChangeRequests?: readonly StateChangeRequest[];
};

export interface MachineDecision {
	readonly status: MachineStatus;
	/** The finalizers that the machine should have; absent when they are right. Nothing else may be done before they are. */
	readonly finalizers?: readonly string[];
	/** The instance to make, when the status is written. */
	readonly create?: VirtualMachineInstance;
	/** Whether to delete the instance, when the status is written. */
	readonly remove: boolean;
	/** When to look again if nothing happens, in milliseconds. */
	readonly againMs?: number;
}

/** Holds a machine, and with it its address, until its instance is gone. The name is KubeVirt's. */
export const machineFinalizer = 'kubevirt.io/virtualMachineControllerFinalize';

type RunStrategy = NonNullable<VirtualMachine['spec']['runStrategy']>;

/** An instance that ran for so long did not fail to start, in milliseconds. */
const stableMs = 300_000;
/** Pause before the second restart in a row, in milliseconds; the first is immediate, each further pause doubles. */
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

/**
 * What a VirtualMachine's object should say and which instance it should have. `instance` is the VirtualMachineInstance of its name, whoever
 * owns it; `now` is milliseconds since the epoch. Source: KubeVirt user guide, "Run Strategies".
 */
export function decideMachine(vm: VirtualMachine, instance: VirtualMachineInstance | undefined, now: number): MachineDecision {
	const { deletionTimestamp, finalizers = [], uid } = vm.metadata;
	const deleted = deletionTimestamp !== undefined;
	if (instance !== undefined && !instance.metadata.ownerReferences?.some((owner) => owner.uid === uid)) {
		const failure = failedCreate('a VirtualMachineInstance of this name belongs to somebody else (fix: delete it, or rename this machine)');
		return { status: statusOf(vm, undefined, now, { failure }), remove: false, ...(deleted ? withoutFinalizer(finalizers) : {}) };
	}
	const problem = findProblem(vm);
	const strategy = runStrategyOf(vm);
	const wanted = !deleted && strategy !== 'Halted';
	const requests = wanted ? openRequests((vm.status as MachineStatus | undefined)?.stateChangeRequests ?? [], instance) : [];
	const failure = problem === undefined ? launchFailure(vm, instance) : failedCreate(sentence(problem));
	const facts: StatusFacts = { requests, ...(failure === undefined ? {} : { failure }) };
	const idle = { status: statusOf(vm, instance, now, facts), remove: false };
	if (deleted && instance === undefined) return { ...idle, ...withoutFinalizer(finalizers) };
	if (!deleted && !finalizers.includes(machineFinalizer)) return { ...idle, finalizers: [...finalizers, machineFinalizer] };
	if (strategy === undefined && !deleted) return idle;
	const asked = requests[0]?.action;
	if (instance === undefined) {
		return wanted && (strategy !== 'Manual' || asked === 'Start') && problem === undefined ? start(vm, now, facts) : idle;
	}
	const kept: StatusFacts = wanted ? { ...facts, ...keptFailure(vm) } : facts;
	if (instance.metadata.deletionTimestamp !== undefined) return { status: statusOf(vm, instance, now, kept), remove: false };
	if (!wanted || asked === 'Stop') return { status: statusOf(vm, instance, now, { ...facts, stopping: true }), remove: true };
	const { phase } = instance.status ?? {};
	const again = strategy === 'Always' ? hasEnded(phase) : strategy === 'RerunOnFailure' && phase === 'Failed';
	if (again) return { status: statusOf(vm, instance, now, { ...facts, startFailure: countFailure(vm, instance, now) }), remove: true };
	return { status: statusOf(vm, instance, now, kept), remove: asked === 'Start' };
}

/** Undefined when it is not clear or not supported. */
function runStrategyOf({ spec }: VirtualMachine): RunStrategy | undefined {
	const { running, runStrategy } = spec;
	if (running === undefined) return runStrategy === 'WaitAsReceiver' ? undefined : (runStrategy ?? 'Halted');
	if (runStrategy !== undefined) return undefined;
	return running ? 'Always' : 'Halted';
}

function withoutFinalizer(finalizers: readonly string[]): { readonly finalizers?: readonly string[] } {
	const rest = finalizers.filter((name) => name !== machineFinalizer);
	return rest.length === finalizers.length ? {} : { finalizers: rest };
}

function start(vm: VirtualMachine, now: number, facts: StatusFacts): MachineDecision {
	const kept = keptFailure(vm);
	const waitMs = kept.startFailure === undefined ? 0 : Date.parse(kept.startFailure.retryAfterTimestamp) - now;
	const status = statusOf(vm, undefined, now, { ...facts, starting: true, ...kept });
	return waitMs > 0 ? { status, remove: false, againMs: waitMs } : { status, remove: false, create: newInstance(vm) };
}

function startFailureOf(vm: VirtualMachine): StartFailure | undefined {
	return (vm.status as MachineStatus | undefined)?.startFailure;
}

function keptFailure(vm: VirtualMachine): { readonly startFailure?: StartFailure } {
	const startFailure = startFailureOf(vm);
	return startFailure === undefined ? {} : { startFailure };
}

function countFailure(vm: VirtualMachine, instance: VirtualMachineInstance, now: number): StartFailure {
	const before = startFailureOf(vm);
	const uid = instance.metadata.uid ?? '';
	if (before?.lastFailedVMIUID === uid) return before;
	const transitions = (instance.status as InstanceStatus | undefined)?.phaseTransitionTimestamps ?? [];
	const ranSince = transitions.find(({ phase }) => phase === 'Running')?.phaseTransitionTimestamp;
	const stable = ranSince !== undefined && now - Date.parse(ranSince) >= stableMs;
	const count = stable ? 1 : (before?.consecutiveFailCount ?? 0) + 1;
	const pauseMs = count === 1 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 2));
	return { consecutiveFailCount: count, lastFailedVMIUID: uid, retryAfterTimestamp: timestamp(now + pauseMs) };
}

type Failure = Pick<Condition, 'reason' | 'message'>;

interface StatusFacts {
	readonly startFailure?: StartFailure;
	readonly starting?: boolean;
	readonly stopping?: boolean;
	readonly requests?: readonly StateChangeRequest[];
	/** Why there can be no instance, or why the last one did not run. */
	readonly failure?: Failure;
}

const createFailedReason = 'FailedCreate';

function failedCreate(message: string): Failure {
	return { reason: createFailedReason, message };
}

/** What the instance says about its failure; it outlives the instance until the next one runs. */
function launchFailure(vm: VirtualMachine, instance: VirtualMachineInstance | undefined): Failure | undefined {
	const told = findCondition(instance?.status?.conditions, synchronizedCondition);
	if (told?.status === 'False') return { reason: told.reason ?? '', message: told.message ?? '' };
	const before = findCondition(vm.status?.conditions, 'Failure');
	const over = startFailureOf(vm) === undefined || instance?.status?.phase === 'Running' || before?.reason === createFailedReason;
	return before === undefined || over ? undefined : { reason: before.reason ?? '', message: before.message ?? '' };
}

function statusOf(vm: VirtualMachine, instance: VirtualMachineInstance | undefined, now: number, facts: StatusFacts = {}): MachineStatus {
	const { startFailure: _, stateChangeRequests: __, ...others } = (vm.status ?? {}) as MachineStatus;
	const { failure, requests = [] } = facts;
	const ready = findCondition(instance?.status?.conditions, 'Ready') ?? {
		status: 'False' as const,
		reason: 'VMINotExists',
		message: 'VMI does not exist',
	};
	const { status, reason = '', message = '' } = ready;
	const conditions = (vm.status?.conditions ?? []).filter(({ type }) => type !== 'Failure' || failure !== undefined);
	const failed: Omit<Condition, 'lastTransitionTime'>[] = failure === undefined ? [] : [{ type: 'Failure', status: 'True', ...failure }];
	const { generation } = vm.metadata;
	return {
		...others,
		created: instance !== undefined,
		ready: status === 'True',
		printableStatus: printableStatusOf(vm, instance, facts, now),
		conditions: [{ type: 'Ready', status, reason, message }, ...failed].reduce<readonly Condition[]>(
			(current, condition) => setCondition(current, condition, now),
			conditions,
		),
		...(generation === undefined ? {} : { observedGeneration: generation }),
		...(facts.startFailure === undefined ? {} : { startFailure: facts.startFailure }),
		...(requests.length === 0 ? {} : { stateChangeRequests: requests }),
	};
}

/** Source: KubeVirt, VirtualMachinePrintableStatus. */
function printableStatusOf(
	vm: VirtualMachine,
	instance: VirtualMachineInstance | undefined,
	{ startFailure, starting, stopping }: StatusFacts,
	now: number,
): string {
	if (vm.metadata.deletionTimestamp !== undefined) return 'Terminating';
	const crashing = startFailure !== undefined && Date.parse(startFailure.retryAfterTimestamp) > now;
	if (instance === undefined) return crashing ? 'CrashLoopBackOff' : starting ? 'Starting' : 'Stopped';
	const { phase, conditions } = instance.status ?? {};
	if (crashing && hasEnded(phase)) return 'CrashLoopBackOff';
	if (stopping || instance.metadata.deletionTimestamp !== undefined) return 'Stopping';
	if (hasEnded(phase)) return 'Stopped';
	if (findCondition(conditions, 'PodScheduled')?.status === 'False') return 'ErrorUnschedulable';
	return phase === 'Running' ? 'Running' : 'Starting';
}
