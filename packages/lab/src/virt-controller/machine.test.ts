import { findCondition } from '@tapestry/kube';
import type { VirtualMachine, VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { decideMachine, type MachineDecision, type MachineStatus, machineFinalizer } from './machine.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const at = (secondsAgo: number): string => `${new Date(now - secondsAgo * 1000).toISOString().slice(0, 19)}Z`;

function machine(
	spec: object = { running: true },
	more: { readonly deleted?: boolean; readonly status?: object; readonly finalizers?: string[] } = {},
) {
	const { deleted = false, status, finalizers = [machineFinalizer] } = more;
	return {
		metadata: { name: 'vm', namespace: 'a', uid: 'u1', generation: 3, finalizers, ...(deleted ? { deletionTimestamp: at(1) } : {}) },
		spec: {
			template: {
				metadata: { labels: { app: 'x' }, annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.15' } },
				spec: { domain: { devices: {} }, nodeSelector: { disk: 'ssd' } },
			},
			...spec,
		},
		...(status === undefined ? {} : { status }),
	} as VirtualMachine;
}

function instance(
	phase: string,
	more: {
		readonly uid?: string;
		readonly owner?: string;
		readonly deleted?: boolean;
		readonly ranFor?: number;
		readonly failure?: string;
	} = {},
) {
	const { uid = 'i1', owner = 'u1', deleted = false, ranFor, failure } = more;
	return {
		metadata: {
			name: 'vm',
			namespace: 'a',
			uid,
			ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm', uid: owner }],
			...(deleted ? { deletionTimestamp: at(1) } : {}),
		},
		spec: { domain: {} },
		status: {
			phase,
			conditions: [
				{ type: 'Ready', status: phase === 'Running' ? 'True' : 'False', reason: 'GuestNotRunning', message: 'not yet' },
				...(failure === undefined ? [] : [{ type: 'Synchronized', status: 'False', reason: 'VM_DISK', message: failure }]),
			],
			...(ranFor === undefined ? {} : { phaseTransitionTimestamps: [{ phase: 'Running', phaseTransitionTimestamp: at(ranFor) }] }),
		},
	} as VirtualMachineInstance;
}

const actions = ({ create, remove, finalizers, againMs }: MachineDecision) => ({
	...(create ? { create: create.metadata.name } : {}),
	...(remove ? { remove } : {}),
	...(finalizers ? { finalizers } : {}),
	...(againMs === undefined ? {} : { againMs }),
});
const failed = (count: number, uid: string, retryInSeconds: number) => ({
	status: { startFailure: { consecutiveFailCount: count, lastFailedVMIUID: uid, retryAfterTimestamp: at(-retryInSeconds) } },
});

describe('decideMachine', () => {
	it('makes the instance that the template describes', () => {
		const { create, status } = decideMachine(machine(), undefined, now);
		expect(create).toEqual({
			apiVersion: 'kubevirt.io/v1',
			kind: 'VirtualMachineInstance',
			metadata: {
				name: 'vm',
				namespace: 'a',
				labels: { app: 'x' },
				annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.15' },
				finalizers: ['foregroundDeleteVirtualMachine'],
				ownerReferences: [
					{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm', uid: 'u1', controller: true, blockOwnerDeletion: true },
				],
			},
			spec: { domain: { devices: {} }, nodeSelector: { disk: 'ssd' } },
		});
		expect(status).toMatchObject({ created: false, ready: false, printableStatus: 'Starting', observedGeneration: 3 });
		expect(findCondition(status.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'VMINotExists' });
	});

	it.each([
		[{ running: true }, undefined, { create: 'vm' }, 'Starting'],
		[{ running: false }, undefined, {}, 'Stopped'],
		[{}, undefined, {}, 'Stopped'],
		[{ runStrategy: 'Halted' }, instance('Running'), { remove: true }, 'Stopping'],
		[{ running: true }, instance('Scheduled'), {}, 'Starting'],
		[{ running: true }, instance('Running'), {}, 'Running'],
		[{ running: true }, instance('Running', { deleted: true }), {}, 'Stopping'],
		[{ running: true }, instance('Succeeded'), { remove: true }, 'Stopped'],
		[{ runStrategy: 'Always' }, instance('Failed'), { remove: true }, 'Stopped'],
		[{ runStrategy: 'RerunOnFailure' }, instance('Failed'), { remove: true }, 'Stopped'],
		[{ runStrategy: 'RerunOnFailure' }, instance('Succeeded'), {}, 'Stopped'],
		[{ runStrategy: 'RerunOnFailure' }, undefined, { create: 'vm' }, 'Starting'],
		[{ runStrategy: 'Once' }, undefined, { create: 'vm' }, 'Starting'],
		[{ runStrategy: 'Once' }, instance('Failed'), {}, 'Stopped'],
		[{ runStrategy: 'Manual' }, undefined, {}, 'Stopped'],
		[{ runStrategy: 'Manual' }, instance('Running'), {}, 'Running'],
		[{ runStrategy: 'Manual' }, instance('Failed'), {}, 'Stopped'],
	])('%j with %s: %j, %s', (spec, current, expected, printable) => {
		const decision = decideMachine(machine(spec), current, now);
		expect(actions(decision)).toEqual(expected);
		expect(decision.status).toMatchObject({ printableStatus: printable, created: current !== undefined });
	});

	it('passes on readiness and the reason of an instance that finds no node', () => {
		expect(decideMachine(machine(), instance('Running'), now).status).toMatchObject({ ready: true });
		const stuck = instance('Scheduling');
		const conditions = [...(stuck.status?.conditions ?? []), { type: 'PodScheduled', status: 'False' as const }];
		expect(decideMachine(machine(), { ...stuck, status: { ...stuck.status, conditions } }, now).status.printableStatus).toBe(
			'ErrorUnschedulable',
		);
	});

	it('has nothing to write when nothing changed', () => {
		const vm = machine();
		const { status } = decideMachine(vm, instance('Running'), now);
		expect(decideMachine({ ...vm, status }, instance('Running'), now + 60_000).status).toEqual(status);
	});

	it('restarts at once the first time and waits longer each further time', () => {
		const pauses: number[] = [];
		let status: MachineStatus | undefined;
		for (let round = 1; round <= 9; round += 1) {
			const vm = machine({ running: true }, status ? { status } : {});
			({ status } = decideMachine(vm, instance('Failed', { uid: `i${round}` }), now));
			expect(status?.startFailure).toMatchObject({ consecutiveFailCount: round, lastFailedVMIUID: `i${round}` });
			pauses.push(decideMachine(machine({ running: true }, { status: status! }), undefined, now).againMs ?? 0);
		}
		expect(pauses).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
	});

	it('counts one ended instance once and forgets what came before a long run', () => {
		const once = decideMachine(machine({ running: true }, failed(4, 'i1', 30)), instance('Failed'), now);
		expect(once.status.startFailure).toMatchObject({ consecutiveFailCount: 4, retryAfterTimestamp: at(-30) });
		expect(once.status.printableStatus).toBe('CrashLoopBackOff');
		const long = decideMachine(machine({ running: true }, failed(4, 'i0', -600)), instance('Failed', { ranFor: 300 }), now);
		expect(long.status.startFailure).toMatchObject({ consecutiveFailCount: 1 });
		const short = decideMachine(machine({ running: true }, failed(4, 'i0', -600)), instance('Failed', { ranFor: 299 }), now);
		expect(short.status.startFailure).toMatchObject({ consecutiveFailCount: 5 });
	});

	it('waits out its pause, and forgets it when the machine is switched off', () => {
		const waiting = decideMachine(machine({ running: true }, failed(2, 'i0', 7)), undefined, now);
		expect(actions(waiting)).toEqual({ againMs: 7_000 });
		expect(waiting.status.printableStatus).toBe('CrashLoopBackOff');
		expect(actions(decideMachine(machine({ running: true }, failed(2, 'i0', 0)), undefined, now))).toEqual({ create: 'vm' });
		expect(decideMachine(machine({ running: false }, failed(2, 'i0', 7)), undefined, now).status.startFailure).toBeUndefined();
	});

	it('says why its last instance failed until the next one runs', () => {
		const failure = (status: MachineStatus) => findCondition(status.conditions, 'Failure')?.message;
		let { status } = decideMachine(machine(), instance('Failed', { failure: 'no such file' }), now);
		expect(failure(status)).toBe('no such file');
		for (const current of [undefined, instance('Scheduling', { uid: 'i2' })]) {
			({ status } = decideMachine(machine({ running: true }, { status }), current, now));
			expect(failure(status)).toBe('no such file');
		}
		({ status } = decideMachine(machine({ running: true }, { status }), instance('Running', { uid: 'i2' }), now));
		expect(failure(status)).toBeUndefined();
	});

	it.each([
		['a stop', [{ action: 'Stop', uid: 'i1' }], { remove: true }, [{ action: 'Stop', uid: 'i1' }]],
		['a stop that is done', [{ action: 'Stop', uid: 'i0' }], {}, undefined],
		['a start of what runs', [{ action: 'Start' }], {}, undefined],
	])('meets %s of a machine that runs by hand', (_, stateChangeRequests, expected, left) => {
		const vm = machine({ runStrategy: 'Manual' }, { status: { stateChangeRequests } });
		const decision = decideMachine(vm, instance('Running'), now);
		expect(actions(decision)).toEqual(expected);
		expect(decision.status.stateChangeRequests).toEqual(left);
	});

	it('starts a machine that runs by hand when it is asked to, after what is left of the last instance is gone', () => {
		const asked = { status: { stateChangeRequests: [{ action: 'Start' }] } };
		const manual = machine({ runStrategy: 'Manual' }, asked);
		expect(actions(decideMachine(manual, undefined, now))).toEqual({ create: 'vm' });
		expect(decideMachine(manual, undefined, now).status.stateChangeRequests).toEqual([{ action: 'Start' }]);
		expect(actions(decideMachine(manual, instance('Succeeded'), now))).toEqual({ remove: true });
		expect(decideMachine(machine({ runStrategy: 'Halted' }, asked), undefined, now)).toMatchObject({ remove: false });
		expect(decideMachine(machine({ runStrategy: 'Halted' }, asked), undefined, now).status.stateChangeRequests).toBeUndefined();
	});

	it('restarts a machine that always runs when it is asked to stop an instance', () => {
		const vm = machine({ running: true }, { status: { stateChangeRequests: [{ action: 'Stop', uid: 'i1' }] } });
		expect(actions(decideMachine(vm, instance('Running'), now))).toEqual({ remove: true });
		expect(actions(decideMachine(vm, undefined, now))).toEqual({ create: 'vm' });
	});

	it('takes its finalizer first and gives it back last', () => {
		expect(actions(decideMachine(machine({ running: true }, { finalizers: ['other'] }), undefined, now))).toEqual({
			finalizers: ['other', machineFinalizer],
		});
		const deleted = machine({ running: true }, { deleted: true, finalizers: [machineFinalizer, 'other'] });
		const first = decideMachine(deleted, instance('Running'), now);
		expect([actions(first), first.status.printableStatus]).toEqual([{ remove: true }, 'Terminating']);
		expect(actions(decideMachine(deleted, instance('Running', { deleted: true }), now))).toEqual({});
		expect(actions(decideMachine(deleted, undefined, now))).toEqual({ finalizers: ['other'] });
	});

	it('neither adopts nor removes an instance of somebody else', () => {
		const decision = decideMachine(machine({ running: false }), instance('Running', { owner: 'u0' }), now);
		expect(actions(decision)).toEqual({});
		expect(findCondition(decision.status.conditions, 'Failure')?.message).toContain('belongs to somebody else');
	});

	it('reports a machine that cannot run and heals when it is put right', () => {
		const wrong = machine({ running: true, template: { metadata: {} } });
		const decision = decideMachine(wrong, undefined, now);
		expect(actions(decision)).toEqual({});
		expect(findCondition(decision.status.conditions, 'Failure')).toMatchObject({ status: 'True', reason: 'FailedCreate' });
		const healed = decideMachine(machine({ running: true }, { status: decision.status }), undefined, now);
		expect(actions(healed)).toEqual({ create: 'vm' });
		expect(findCondition(healed.status.conditions, 'Failure')).toBeUndefined();
	});

	it('stops an instance although its template has become unusable, but not on an unclear wish', () => {
		const wrong = { template: { metadata: {} } };
		expect(actions(decideMachine(machine({ running: false, ...wrong }), instance('Running'), now))).toEqual({ remove: true });
		expect(actions(decideMachine(machine({ running: true, ...wrong }), instance('Running'), now))).toEqual({});
		expect(actions(decideMachine(machine({ running: false, runStrategy: 'Always' }), instance('Running'), now))).toEqual({});
	});
});
