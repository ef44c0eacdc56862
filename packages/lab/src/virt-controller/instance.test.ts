import { findCondition, type Pod, type PodStatus } from '@tapestry/kube';
import type { VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { decideInstance, refusedStatus } from './instance.ts';
import { instanceFinalizer } from './new-instance.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const time = '2026-01-01T12:00:00Z';

const decide = (vmi: VirtualMachineInstance, pods: readonly Pod[], at = now, lost: readonly string[] = []) =>
	decideInstance(vmi, pods, at, (node) => lost.includes(node));

function instance(
	more: { readonly status?: object; readonly deleted?: boolean; readonly finalizers?: string[]; readonly spec?: object } = {},
) {
	const { status, deleted = false, finalizers = [instanceFinalizer], spec = {} } = more;
	return {
		metadata: {
			name: 'vm',
			namespace: 'a',
			uid: 'i1',
			labels: { app: 'x' },
			annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.15' },
			finalizers,
			...(deleted ? { deletionTimestamp: time } : {}),
		},
		spec: { domain: {}, ...spec },
		...(status === undefined ? {} : { status }),
	} as VirtualMachineInstance;
}

function pod(status: PodStatus, more: { readonly node?: string; readonly deleted?: boolean; readonly mac?: string } = {}): Pod {
	const { node, deleted = false, mac } = more;
	return {
		metadata: {
			name: 'virt-launcher-vm-abcde',
			namespace: 'a',
			uid: 'p1',
			...(mac === undefined ? {} : { annotations: { 'ovn.kubernetes.io/mac_address': mac } }),
			...(deleted ? { deletionTimestamp: time } : {}),
		},
		spec: { containers: [], ...(node === undefined ? {} : { nodeName: node }) },
		status,
	};
}

const compute = (ready: boolean): PodStatus => ({
	phase: 'Running',
	podIPs: [{ ip: '10.16.0.15' }, { ip: 'fd00::f' }],
	containerStatuses: [{ name: 'compute', ready, restartCount: 0 }],
});

describe('decideInstance', () => {
	it('makes a launcher pod with what Tapestry, KubeVirt and the user put on it', () => {
		const spec = { nodeSelector: { disk: 'ssd' }, terminationGracePeriodSeconds: 5, tolerations: [{ operator: 'Exists' }] };
		const { create, status } = decide(instance({ spec }), []);
		expect(create).toEqual({
			metadata: {
				name: expect.stringMatching(/^virt-launcher-vm-[a-z0-9]{5}$/),
				namespace: 'a',
				labels: { app: 'x', 'kubevirt.io': 'virt-launcher', 'vm.kubevirt.io/name': 'vm', 'kubevirt.io/created-by': 'i1' },
				annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.15', 'kubevirt.io/domain': 'vm' },
				ownerReferences: [
					{
						apiVersion: 'kubevirt.io/v1',
						kind: 'VirtualMachineInstance',
						name: 'vm',
						uid: 'i1',
						controller: true,
						blockOwnerDeletion: true,
					},
				],
			},
			spec: {
				containers: [{ name: 'compute', image: 'tapestry.io/lab/virt-launcher' }],
				restartPolicy: 'Never',
				terminationGracePeriodSeconds: 20,
				nodeSelector: { disk: 'ssd' },
				tolerations: [{ operator: 'Exists' }],
			},
		});
		expect(status.phase).toBe('Pending');
		expect(findCondition(status.conditions, 'Ready')).toMatchObject({ status: 'False', reason: 'PodNotExists' });
	});

	it('names the pod of one instance always the same', () => {
		const name = (uid: string) => {
			const one = instance();
			return decide({ ...one, metadata: { ...one.metadata, uid } }, []).create?.metadata.name;
		};
		expect(name('i1')).toBe(name('i1'));
		expect(name('i1')).not.toBe(name('i2'));
	});

	it('follows its pod to a running guest', () => {
		const steps: [Pod, string][] = [
			[pod({ phase: 'Pending' }), 'Scheduling'],
			[pod({ phase: 'Pending' }, { node: 'n1' }), 'Scheduling'],
			[pod(compute(false), { node: 'n1' }), 'Scheduled'],
			[pod(compute(true), { node: 'n1', mac: '0a:00:00:00:00:01' }), 'Running'],
			[pod(compute(false), { node: 'n1', mac: '0a:00:00:00:00:01' }), 'Running'],
		];
		let current = instance();
		for (const [launcher, phase] of steps) {
			const { status, create, remove } = decide(current, [launcher]);
			expect([status.phase, create, remove]).toEqual([phase, undefined, []]);
			const guest = phase === 'Running' && launcher.status?.containerStatuses?.[0]?.ready;
			expect(findCondition(status.conditions, 'Ready')?.status).toBe(guest ? 'True' : 'False');
			current = instance({ status });
		}
		expect(current.status).toMatchObject({
			nodeName: 'n1',
			activePods: { p1: 'n1' },
			interfaces: [{ name: 'default', mac: '0a:00:00:00:00:01', ipAddress: '10.16.0.15', ipAddresses: ['10.16.0.15', 'fd00::f'] }],
			phaseTransitionTimestamps: ['Scheduling', 'Scheduled', 'Running'].map((phase) => ({ phase, phaseTransitionTimestamp: time })),
		});
	});

	it('names its interface as the network that is the pod network', () => {
		const spec = { networks: [{ name: 'front', pod: {} }] };
		expect(decide(instance({ spec }), [pod(compute(true))]).status.interfaces?.[0]?.name).toBe('front');
	});

	it('has nothing to write when nothing changed', () => {
		const launcher = pod(compute(true), { node: 'n1' });
		const { status } = decide(instance(), [launcher]);
		expect(decide(instance({ status }), [launcher], now + 60_000).status).toEqual(status);
	});

	it.each(['Succeeded', 'Failed'] as const)('ends with its pod: %s, and stays ended', (phase) => {
		const { status } = decide(instance({ status: { phase: 'Running' } }), [pod({ phase })]);
		expect(status.phase).toBe(phase);
		expect(decide(instance({ status }), [])).toMatchObject({ status: { phase }, remove: [] });
		expect(decide(instance({ status }), []).create).toBeUndefined();
	});

	it('fails when its pod was removed', () => {
		const { status, create } = decide(instance({ status: { phase: 'Running', activePods: { p1: 'n1' } } }), []);
		expect([status.phase, status.reason, create]).toEqual(['Failed', 'LauncherPodRemoved', undefined]);
	});

	it('shows why its pod finds no node, until it does', () => {
		const unschedulable = {
			type: 'PodScheduled',
			status: 'False',
			reason: 'Unschedulable',
			message: '0/3 nodes',
			lastProbeTime: null,
		} as const;
		const { status } = decide(instance(), [pod({ phase: 'Pending', conditions: [unschedulable] })]);
		expect(findCondition(status.conditions, 'PodScheduled')).toEqual({
			type: 'PodScheduled',
			status: 'False',
			reason: 'Unschedulable',
			message: '0/3 nodes',
			lastTransitionTime: time,
		});
		const healed = decide(instance({ status }), [pod({ phase: 'Pending' }, { node: 'n1' })]);
		expect(findCondition(healed.status.conditions, 'PodScheduled')).toBeUndefined();
	});

	it('takes its finalizer before it makes a pod and gives it back when no pod is left', () => {
		expect(decide(instance({ finalizers: ['other'] }), [])).toMatchObject({
			finalizers: ['other', instanceFinalizer],
			remove: [],
		});
		expect(decide(instance({ finalizers: [] }), []).create).toBeUndefined();
		const deleted = instance({ deleted: true, finalizers: ['other', instanceFinalizer] });
		const launcher = pod(compute(true));
		const first = decide(deleted, [launcher]);
		expect([first.remove, first.finalizers]).toEqual([[launcher], undefined]);
		const second = decide(deleted, [pod(compute(true), { deleted: true })]);
		expect([second.remove, second.finalizers]).toEqual([[], undefined]);
		expect(decide(deleted, []).finalizers).toEqual(['other']);
	});

	it('refuses what no launcher can run, and makes a pod when it is put right', () => {
		const decision = decide(instance({ spec: { domain: { memory: { guest: 0 } } } }), []);
		expect(decision.create).toBeUndefined();
		const condition = findCondition(decision.status.conditions, 'Synchronized');
		expect(condition).toMatchObject({ status: 'False', reason: 'Invalid' });
		expect(condition?.message).toContain('memory');
		const healed = decide(instance({ status: decision.status }), []);
		expect(healed.create).toBeDefined();
		expect(findCondition(healed.status.conditions, 'Synchronized')).toBeUndefined();
	});

	it("keeps the launcher's reason beyond its pod, until the guest runs", () => {
		const conditions = [{ type: 'Synchronized', status: 'False', reason: 'VM_DISK', message: 'no such file' }];
		const reason = (phase: string, pods: Pod[]) =>
			findCondition(decide(instance({ status: { phase, conditions } }), pods).status.conditions, 'Synchronized')?.reason;
		expect(reason('Scheduled', [pod({ phase: 'Running' })])).toBe('VM_DISK');
		expect(reason('Scheduled', [pod({ phase: 'Failed' })])).toBe('VM_DISK');
		expect(reason('Failed', [])).toBe('VM_DISK');
		expect(reason('Scheduled', [pod(compute(true))])).toBeUndefined();
	});

	it('gives up a pod that was evicted from a lost node when its time is over', () => {
		const evicted = pod(compute(true), { node: 'n1', deleted: true });
		const running = instance({ status: { phase: 'Running', activePods: { p1: 'n1' } } });
		expect(decide(running, [evicted], now - 5_000, ['n1'])).toMatchObject({ abandon: [], againMs: 5_000 });
		expect(decide(running, [evicted], now, ['n1'])).toMatchObject({ abandon: [evicted] });
		expect(decide(running, [evicted], now, ['n2'])).toMatchObject({ abandon: [] });
		expect(decide(running, [pod(compute(true), { node: 'n1' })], now, ['n1'])).toMatchObject({ abandon: [] });
	});

	it('keeps the reason of a refused pod until there is one', () => {
		const status = refusedStatus(instance(), 'no such thing', now);
		expect(findCondition(status.conditions, 'Synchronized')).toMatchObject({ status: 'False', message: 'no such thing' });
		expect(findCondition(decide(instance({ status }), []).status.conditions, 'Synchronized')).toBeDefined();
		const made = decide(instance({ status }), [pod({ phase: 'Pending' })]);
		expect(findCondition(made.status.conditions, 'Synchronized')).toBeUndefined();
	});
});
