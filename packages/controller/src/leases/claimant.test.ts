import type { Pod } from '@tapestry/kube';
import { annotations, isLauncher, labels, machineOfLauncher, type VirtualMachine } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { podClaimant, vmClaimant, vmiClaimant } from './claimant.ts';
import { leaseName, leaseObject, parseLease } from './lease-object.ts';

const pod = (spec: Partial<Pod['spec']> = {}, more: Partial<Pod['metadata']> = {}, phase: 'Running' | 'Failed' = 'Running'): Pod => ({
	metadata: { name: 'web-2', namespace: 'default', uid: 'u1', ...more },
	spec: { nodeName: 'n1', containers: [], ...spec },
	status: { phase },
});
const launcher = (name: string, node: string, created: string, phase: 'Running' | 'Failed' = 'Running') =>
	pod(
		{ nodeName: node },
		{ name, creationTimestamp: created, labels: { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: 'vm' } },
		phase,
	);

describe('claimants', () => {
	it('are pods with a node and a network of their own that have not ended', () => {
		expect(podClaimant(pod())).toMatchObject({ kind: 'Pod', namespace: 'default', name: 'web-2', uid: 'u1', node: 'n1', isLeaving: false });
		expect(podClaimant(pod({ nodeName: '' }))).toBeUndefined();
		expect(podClaimant(pod({ hostNetwork: true }))).toBeUndefined();
		expect(podClaimant(pod({}, {}, 'Failed'))).toBeUndefined();
		expect(podClaimant(launcher('l', 'n1', ''))).toBeUndefined();
		expect(podClaimant(pod({}, { deletionTimestamp: 'now' }))?.isLeaving).toBe(true);
	});

	it('of a StatefulSet know their place', () => {
		const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 's', controller: true }];
		expect(podClaimant(pod({}, { ownerReferences }))?.ordinal).toBe(2);
		expect(podClaimant(pod())?.ordinal).toBeUndefined();
	});

	it('are VMs, which run where their oldest launcher at work is', () => {
		const vm: VirtualMachine = {
			metadata: { name: 'vm', namespace: 'default', uid: 'v' },
			spec: {
				template: {
					metadata: { annotations: { [annotations.ipAddress]: '10.16.0.15' } },
					spec: { domain: { devices: { interfaces: [{ name: 'default', macAddress: '02:00:00:00:00:01' }] } } },
				},
			},
		};
		const launchers = [launcher('c', 'n3', '2026-01-03'), launcher('a', 'n1', '2026-01-01', 'Failed'), launcher('b', 'n2', '2026-01-02')];
		const claimant = vmClaimant(vm, undefined, launchers);
		expect(claimant).toMatchObject({ kind: 'VirtualMachine', node: 'n2', specMac: '02:00:00:00:00:01' });
		expect(claimant.annotations[annotations.ipAddress]).toBe('10.16.0.15');
		expect(vmClaimant(vm, undefined, []).node).toBe('');
		expect(launchers.every(isLauncher) && launchers.map(machineOfLauncher)).toEqual(['default/vm', 'default/vm', 'default/vm']);
	});

	it('are selected by the labels of their pod, a machine by those of its instance and its launcher at work', () => {
		expect(podClaimant(pod({}, { labels: { app: 'web' } }))?.labels).toEqual({ app: 'web' });
		const metadata = { name: 'vm', namespace: 'default', uid: 'v' };
		const ownerReferences = [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm', uid: 'v' }];
		const vm: VirtualMachine = { metadata, spec: { template: { metadata: { labels: { app: 'db', of: 'template' } } } } };
		const vmi = { metadata: { ...metadata, uid: 'i', ownerReferences, labels: { app: 'db', of: 'instance' } }, spec: { domain: {} } };
		const old = launcher('a', 'n1', '2026-01-01');
		const now = launcher('b', 'n2', '2026-01-02');
		const gone = launcher('a', 'n1', '2026-01-01', 'Failed');
		const own = { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: 'vm' };
		expect(vmClaimant(vm, undefined, []).labels).toEqual({ app: 'db', of: 'template' });
		expect(vmClaimant(vm, vmi, []).labels).toEqual({ app: 'db', of: 'instance' });
		for (const launchers of [[old], [old, now], [gone, now], [now]]) {
			expect(vmClaimant(vm, vmi, launchers).labels).toEqual({ app: 'db', of: 'instance', ...own });
		}
		const relabelled = { ...now, metadata: { ...now.metadata, labels: { ...now.metadata.labels, of: 'launcher' } } };
		expect(vmClaimant(vm, vmi, [gone, relabelled]).labels).toMatchObject({ app: 'db', of: 'launcher' });
		// A stranger of the same name says nothing about the VM.
		const alone = { ...vmi, metadata: { ...vmi.metadata, ownerReferences: [] } };
		expect(vmClaimant(vm, alone, []).labels).toEqual({ app: 'db', of: 'template' });
		expect(vmiClaimant(alone, [now])?.labels).toEqual({ app: 'db', of: 'instance', ...own });
	});

	it('ask for their traffic in the template, and in their launcher what is nowhere else', () => {
		const metadata = { name: 'vm', namespace: 'default', uid: 'v' };
		const ownerReferences = [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm', uid: 'v' }];
		const { ingressRate, egressRate, mirror, ipAddress } = annotations;
		const vmi = { metadata: { ...metadata, uid: 'i', ownerReferences, annotations: { [egressRate]: '1' } }, spec: { domain: {} } };
		const own = { [ingressRate]: '5', [egressRate]: '1', [mirror]: 'true', [ipAddress]: '10.16.0.9' };
		const running = { ...launcher('l', 'n1', ''), metadata: { ...launcher('l', 'n1', '').metadata, annotations: own } };
		const machine = (asked: Record<string, string>): VirtualMachine => ({
			metadata,
			spec: { template: { metadata: { annotations: asked } } },
		});
		expect(vmClaimant(machine({ [ingressRate]: '7' }), vmi, [running]).annotations).toEqual({ [ingressRate]: '7', [mirror]: 'true' });
		expect(vmClaimant(machine({}), vmi, [running]).annotations).toEqual({ [ingressRate]: '5', [mirror]: 'true' });
		expect(vmClaimant(machine({}), vmi, []).annotations).toEqual({});
		const alone = { ...vmi, metadata: { ...vmi.metadata, ownerReferences: [] } };
		expect(vmiClaimant(alone, [running])?.annotations).toEqual({ [egressRate]: '1', [ingressRate]: '5', [mirror]: 'true' });
	});

	it('take the MAC address of the interface in the pod network', () => {
		const interfaces = [
			{ name: 'storage', macAddress: '02:00:00:00:00:01' },
			{ name: 'main', macAddress: '02:00:00:00:00:02' },
		];
		const networks = [
			{ name: 'storage', multus: { networkName: 's' } },
			{ name: 'main', pod: {} },
		];
		const spec = { domain: { devices: { interfaces } }, networks };
		const metadata = { name: 'i', namespace: 'default', uid: 'i' };
		expect(vmiClaimant({ metadata, spec }, [])?.specMac).toBe('02:00:00:00:00:02');
		expect(vmClaimant({ metadata, spec: { template: { spec } } }, undefined, []).specMac).toBe('02:00:00:00:00:02');
	});

	it('with long names are known by the annotation of their launchers', () => {
		const name = 'v'.repeat(70);
		const own = { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: name.slice(0, 63) };
		expect(machineOfLauncher(pod({}, { labels: own, annotations: { [annotations.kubevirtDomain]: name } }))).toBe(`default/${name}`);
		expect(machineOfLauncher(pod({}, { annotations: { [annotations.kubevirtDomain]: name } }))).toBeUndefined();
	});

	it('are instances only when no VM stands behind them', () => {
		const metadata = { name: 'i', namespace: 'default', uid: 'i' };
		const spec = { domain: {} };
		expect(vmiClaimant({ metadata, spec }, [])).toMatchObject({ kind: 'VirtualMachineInstance' });
		const ownerReferences = [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'i', uid: 'v' }];
		expect(vmiClaimant({ metadata: { ...metadata, ownerReferences }, spec }, [])).toBeUndefined();
	});
});

describe('leases', () => {
	const claimant = podClaimant(pod({}, { name: 'web' }));
	if (!claimant) throw new Error('no claimant');

	it('are named after their owner, with a suffix when the name is in use or too long', () => {
		expect(leaseName(claimant, false)).toBe('web.default');
		expect(leaseName(claimant, true)).toMatch(/^web\.default\.[0-9a-f]{8}$/);
		expect(leaseName({ ...claimant, kind: 'Node', namespace: '', name: 'n1' }, false)).toBe('node-n1');
		const long = leaseName({ ...claimant, name: 'x'.repeat(253) }, false);
		expect(long).toHaveLength(253);
		expect(leaseName({ ...claimant, name: `${'x'.repeat(242)}---${'y'.repeat(8)}` }, false)).toMatch(/x\.[0-9a-f]{8}$/);
		expect(long).not.toBe(leaseName({ ...claimant, name: 'x'.repeat(253), uid: 'u2' }, false));
	});

	it('come back from the API as they were written', () => {
		const addresses = { v4: '10.16.0.2', v6: undefined, mac: '02:58:0a:10:00:02' };
		const object = leaseObject(claimant, 'web.default', 'ovn-default', addresses);
		expect(object.spec).toMatchObject({ ipAddress: '10.16.0.2', macAddress: '02:58:0A:10:00:02', podName: 'web', nodeName: 'n1' });
		expect(object.metadata.labels).toMatchObject({ 'ovn-default': '', [labels.nodeName]: 'n1', [labels.ownerUid]: 'u1' });
		expect(parseLease(object)).toMatchObject({
			...addresses,
			subnet: 'ovn-default',
			node: 'n1',
			owner: { kind: 'Pod', namespace: 'default', name: 'web', uid: 'u1' },
		});
	});

	it('that a user made to keep an address have no owner', () => {
		expect(parseLease({ metadata: { name: 'kept' }, spec: { subnet: 's', v4IpAddress: '10.0.0.9', v6IpAddress: 'junk' } })).toMatchObject({
			owner: undefined,
			v4: '10.0.0.9',
			v6: undefined,
		});
	});
});
