import { findCondition, type Pod, type PodStatus } from '@tapestry/kube';
import type { VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { decideInstance, refusedStatus } from './instance.ts';
import { instanceFinalizer } from './new-instance.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const time = '2026-01-01T12:00:00Z';

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
		const { create, status } = decideInstance(instance({ spec }), [], now);
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
			return decideInstance({ ...one, metadata: { ...one.metadata, uid } }, [], now).create?.metadata.name;
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
			const { status, create, remove } = decideInstance(current, [launcher], now);
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
		expect(decideInstance(instance({ spec }), [pod(compute(true))], now).status.interfaces?.[0]?.name).toBe('front');
	});

	it('has nothing to write when nothing changed', () => {
		const launcher = pod(compute(true), { node: 'n1' });
		const { status } = decideInstance(instance(), [launcher], now);
		expect(decideInstance(instance({ status }), [launcher], now + 60_000).status).toEqual(status);
	});

	it.each(['Succeeded', 'Failed'] as const)('ends with its pod: %s, and stays ended', (phase) => {
		const { status } = decideInstance(instance({ status: { phase: 'Running' } }), [pod({ phase })], now);
		expect(status.phase).toBe(phase);
		expect(decideInstance(instance({ status }), [], now)).toMatchObject({ status: { phase }, remove: [] });
		expect(decideInstance(instance({ status }), [], now).create).toBeUndefined();
	});

	it('fails when its pod was removed', () => {
		const { status, create } = decideInstance(instance({ status: { phase: 'Running', activePods: { p1: 'n1' } } }), [], now);
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
		const { status } = decideInstance(instance(), [pod({ phase: 'Pending', conditions: [unschedulable] })], now);
		expect(findCondition(status.conditions, 'PodScheduled')).toEqual({
			type: 'PodScheduled',
			status: 'False',
			reason: 'Unschedulable',
			message: '0/3 nodes',
			lastTransitionTime: time,
		});
		const healed = decideInstance(instance({ status }), [pod({ phase: 'Pending' }, { node: 'n1' })], now);
		expect(findCondition(healed.status.conditions, 'PodScheduled')).toBeUndefined();
	});

	it('takes its finalizer before it makes a pod and gives it back when no pod is left', () => {
		expect(decideInstance(instance({ finalizers: ['other'] }), [], now)).toMatchObject({
			finalizers: ['other', instanceFinalizer],
			remove: [],
		});
		expect(decideInstance(instance({ finalizers: [] }), [], now).create).toBeUndefined();
		const deleted = instance({ deleted: true, finalizers: ['other', instanceFinalizer] });
		const launcher = pod(compute(true));
		const first = decideInstance(deleted, [launcher], now);
		expect([first.remove, first.finalizers]).toEqual([[launcher], undefined]);
		const second = decideInstance(deleted, [pod(compute(true), { deleted: true })], now);
		expect([second.remove, second.finalizers]).toEqual([[], undefined]);
		expect(decideInstance(deleted, [], now).finalizers).toEqual(['other']);
	});

	it('keeps the reason of a refused pod until there is one', () => {
		const status = refusedStatus(instance(), 'no such thing', now);
		expect(findCondition(status.conditions, 'Synchronized')).toMatchObject({ status: 'False', message: 'no such thing' });
		expect(findCondition(decideInstance(instance({ status }), [], now).status.conditions, 'Synchronized')).toBeDefined();
		const made = decideInstance(instance({ status }), [pod({ phase: 'Pending' })], now);
		expect(findCondition(made.status.conditions, 'Synchronized')).toBeUndefined();
	});
});
