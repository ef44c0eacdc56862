import { findCondition, type Pod } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { addressesOf, imageNotRun, podStatus } from './pod-status.ts';
import type { ContainerRecord, PodRecord } from './record.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const hosts = ['172.30.0.1', 'fd00:172:30::1'];
const startTime = '2026-01-01T11:59:00Z';
const pod: Pod = {
	metadata: { name: 'p', namespace: 'default', uid: 'u' },
	spec: { containers: [{ name: 'a', image: 'nginx' }] },
	status: { conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: startTime }] },
};
const ips = [{ address: '10.16.0.2/16' }, { address: 'fd00:10:16::2/112' }];
const sandbox = { containerId: 'c', netns: '/n', network: { cniVersion: '1.0.0', name: 'n', plugins: [] }, result: { ips } };
const running: ContainerRecord = { restarts: 0, startedAt: startTime, pid: 1, ready: true };
const { pid: _, ...stopped } = running;
const exited = (status: number): ContainerRecord => ({ ...stopped, ready: false, exit: { status, finishedAt: '2026-01-01T12:00:00Z' } });
const record = (a?: ContainerRecord, change: Partial<PodRecord> = {}): PodRecord => ({
	...{ uid: 'u', name: 'p', namespace: 'default', startTime, sandbox, containers: a ? { a } : {} },
	...change,
});
const conditionOf = (of: PodRecord | undefined, type: string) => findCondition(podStatus(pod, of, hosts, now).conditions, type);

describe('podStatus', () => {
	it('is pending until all containers have started', () => {
		const status = podStatus(pod, record(), hosts, now);
		expect(status).toMatchObject({ phase: 'Pending', hostIP: '172.30.0.1', podIP: '10.16.0.2', startTime });
		expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
		expect(conditionOf(undefined, 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady' });
	});

	it('tells the addresses of both families', () => {
		expect(podStatus(pod, record(running), hosts, now).podIPs).toEqual([{ ip: '10.16.0.2' }, { ip: 'fd00:10:16::2' }]);
		expect(addressesOf(undefined)).toEqual([]);
		const more = { ...sandbox, result: { ips: [{ address: 'fd00::1/64' }, { address: 'fd00::2/64' }, { address: '10.0.0.1/8' }] } };
		expect(addressesOf(record(running, { sandbox: more }))).toEqual(['fd00::1', '10.0.0.1']);
	});

	it('runs, and is ready when its container says so', () => {
		const status = podStatus(pod, record(running), hosts, now);
		expect(status).toMatchObject({ phase: 'Running', message: imageNotRun });
		expect(status.containerStatuses).toMatchObject([
			{ name: 'a', image: 'nginx', ready: true, state: { running: { startedAt: startTime } } },
		]);
		expect(conditionOf(record(running), 'Ready')).toMatchObject({ status: 'True', reason: '', message: '' });
		expect(conditionOf(record({ ...running, ready: false }), 'Ready')).toMatchObject({ status: 'False' });
	});

	it('keeps the time of conditions that do not change', () => {
		expect(conditionOf(record(running), 'PodScheduled')?.lastTransitionTime).toBe(startTime);
		expect(conditionOf(record(running), 'Ready')?.lastTransitionTime).toBe('2026-01-01T12:00:00Z');
	});

	it('says of a virtual machine nothing about images', () => {
		const launcher = { ...pod, metadata: { ...pod.metadata, labels: { 'kubevirt.io': 'virt-launcher' } } };
		expect(podStatus(launcher, record(running), hosts, now).message).toBeUndefined();
	});

	it('tells how a container ended, and when it starts again', () => {
		expect(podStatus(pod, record({ ...exited(3), restarts: 1 }), hosts, now)).toMatchObject({
			phase: 'Running',
			containerStatuses: [
				{
					restartCount: 1,
					state: { waiting: { reason: 'CrashLoopBackOff' } },
					lastState: { terminated: { exitCode: 3, reason: 'Error' } },
				},
			],
		});
	});

	it('ends with its containers where they do not restart', () => {
		const never: Pod = { ...pod, spec: { containers: [{ name: 'a' }], restartPolicy: 'Never' } };
		expect(podStatus(never, record(exited(0)), hosts, now).phase).toBe('Succeeded');
		expect(podStatus(never, record(exited(1)), hosts, now).phase).toBe('Failed');
		expect(findCondition(podStatus(never, record(exited(0)), hosts, now).conditions, 'Ready')?.reason).toBe('PodCompleted');
	});

	it('has ended when it was deleted and nothing of it runs', () => {
		const deleted: Pod = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T12:00:30Z' } };
		expect(podStatus(deleted, record(running), hosts, now).phase).toBe('Running');
		expect(podStatus(deleted, record(exited(143), { stopping: true }), hosts, now).phase).toBe('Failed');
	});

	it('does not touch what an ended pod says', () => {
		const ended: Pod = { ...pod, status: { phase: 'Failed', podIP: '10.16.0.9', reason: 'Evicted' } };
		expect(podStatus(ended, undefined, hosts, now)).toBe(ended.status);
	});

	it('refuses hostNetwork and says how to go on', () => {
		const refused: Pod = { ...pod, spec: { containers: [{ name: 'a' }], hostNetwork: true } };
		expect(podStatus(refused, undefined, hosts, now)).toMatchObject({ phase: 'Failed', reason: 'HostNetwork' });
		expect(podStatus(refused, undefined, hosts, now).message).toContain('fix: leave hostNetwork out');
	});
});
