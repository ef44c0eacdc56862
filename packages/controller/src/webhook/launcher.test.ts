import { hostTapName, launcherModeVariable } from '@tapestry/host';
import type { Pod } from '@tapestry/kube';
import type { VirtualMachineInstance } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from '../../../apiserver/src/patch/json-patch.ts';
import { instanceOf, type LauncherSurroundings, networkStatus, reviewLauncher } from './launcher.ts';

const instance = (annotation: string | undefined, ...interfaces: readonly object[]) =>
	({
		metadata: {
			name: 'vm',
			namespace: 'ns',
			uid: 'u1',
			annotations: annotation === undefined ? undefined : { 'tapestry.io/attachment-mode': annotation },
		},
		spec: {
			domain: { devices: { interfaces: interfaces.length > 0 ? interfaces : [{ name: 'default', binding: { name: 'tapestry' } }] } },
			networks: [{ name: 'default', pod: {} }],
		},
	}) as VirtualMachineInstance;
const launcher = (
	more: { readonly spec?: object; readonly container?: object; readonly annotations?: Record<string, string> } = {},
): Pod => ({
	metadata: {
		name: 'virt-launcher-vm-x',
		namespace: 'ns',
		labels: { 'kubevirt.io': 'virt-launcher' },
		ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm', uid: 'u1' }],
		...(more.annotations ? { annotations: more.annotations } : {}),
	},
	spec: { containers: [{ name: 'compute', ports: [{ containerPort: 22 }], ...more.container }, { name: 'hook-sidecar-0' }], ...more.spec },
});
const review = (pod: Pod, vmi: VirtualMachineInstance, around?: LauncherSurroundings) =>
	reviewLauncher({ uid: '1', resource: { group: '', resource: 'pods' }, operation: 'CREATE', object: pod }, vmi, around);
const changed = (pod: Pod, vmi: VirtualMachineInstance, around?: LauncherSurroundings): Pod => {
	const { patch = '' } = review(pod, vmi, around);
	return applyJsonPatch(pod, JSON.parse(Buffer.from(patch, 'base64').toString())) as Pod;
};

describe('reviewLauncher', () => {
	it("puts a launcher of mode tap into the node's network, once", () => {
		for (const annotations of [undefined, { a: 'b' }]) {
			const pod = changed(launcher(annotations ? { annotations } : {}), instance('tap'));
			expect(pod.spec).toEqual({
				hostNetwork: true,
				dnsPolicy: 'ClusterFirstWithHostNet',
				containers: [{ name: 'compute' }, { name: 'hook-sidecar-0', env: [{ name: launcherModeVariable, value: 'tap' }] }],
			});
			expect(pod.metadata.annotations).toMatchObject(annotations ?? {});
			const status = JSON.parse(pod.metadata.annotations?.[networkStatus] ?? '');
			expect(status).toEqual([{ name: 'tapestry', interface: hostTapName('u1', 'default'), default: true }]);
			expect(review(pod, instance('tap'))).toEqual({ allowed: true });
		}
	});

	it('does so for a machine that leaves it to its subnet, or to where its launcher is that runs', () => {
		const subnet = { name: 'blue', annotation: 'tap' };
		expect(changed(launcher(), instance(undefined), { subnet }).spec?.hostNetwork).toBe(true);
		expect(changed(launcher(), instance(undefined), { isOnNode: true }).spec?.hostNetwork).toBe(true);
		expect(review(launcher(), instance(undefined), { subnet, isOnNode: false })).toEqual({ allowed: true });
		for (const mode of ['lift', 'bridge']) expect(review(launcher(), instance(mode), { subnet })).toEqual({ allowed: true });
	});

	it('knows the NIC of a machine that names none', () => {
		const { metadata, spec } = instance('tap');
		const plain = { metadata, spec: { ...spec, domain: {} } };
		expect(changed(launcher(), plain).metadata.annotations?.[networkStatus]).toContain(hostTapName('u1', 'default'));
		const without = { metadata, spec: { ...spec, domain: { devices: { autoattachPodInterface: false } } } } as VirtualMachineInstance;
		expect(review(launcher(), without)).toEqual({ allowed: true });
	});

	it('leaves launchers of other modes alone', () => {
		for (const mode of [undefined, 'lift', 'bridge']) expect(review(launcher(), instance(mode))).toEqual({ allowed: true });
	});

	it("refuses what would change the node's own network", () => {
		const nic = { name: 'default', binding: { name: 'tapestry' } };
		expect(review(launcher(), instance('tap', nic, { name: 'more', masquerade: {} })).status?.message).toContain(
			'interface "more" is connected in another way than mode tap',
		);
	});

	it('refuses probes that would ask the node', () => {
		const { status } = review(launcher({ container: { readinessProbe: { httpGet: { port: 80 } } } }), instance('tap'));
		expect(status?.message).toContain('the readinessProbe of the machine does not work in mode tap');
		const exec = launcher({ container: { readinessProbe: { exec: { command: ['x'] } } } });
		expect(review(exec, instance('tap')).allowed).toBe(true);
	});
});

describe('instanceOf', () => {
	it('knows launchers from other pods', () => {
		expect(instanceOf(launcher())).toEqual({ namespace: 'ns', name: 'vm', uid: 'u1' });
		const pod = launcher();
		expect(instanceOf({ ...pod, metadata: { ...pod.metadata, labels: {} } })).toBeUndefined();
		expect(instanceOf({ ...pod, metadata: { ...pod.metadata, ownerReferences: [] } })).toBeUndefined();
	});
});
