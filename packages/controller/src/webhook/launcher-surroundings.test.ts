import type { KubeObject, Pod, Reflector } from '@tapestry/kube';
import {
	annotations,
	type IpLease,
	labels,
	type Subnet,
	type VirtualMachine,
	type VirtualMachineInstance,
	type Vpc,
} from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { type LauncherSources, launcherSurroundings } from './launcher-surroundings.ts';

const options = {
	...{ mtu: 1442, defaultVpc: 'ovn-cluster', defaultSubnet: 'ovn-default', joinSubnet: 'join', serviceCidrs: [] },
};
const marked = (mode?: string) => (mode === undefined ? {} : { [annotations.attachmentMode]: mode });
const subnet = (name: string, cidrBlock: string, mode?: string, namespaces: readonly string[] = []): Subnet => ({
	metadata: { name, annotations: marked(mode) },
	spec: { cidrBlock, namespaces },
});
const instance = (more: { readonly mode?: string; readonly ofVm?: boolean; readonly subnet?: string } = {}): VirtualMachineInstance => ({
	metadata: {
		name: 'vm',
		namespace: 'ns',
		uid: 'i1',
		annotations: { ...marked(more.mode), ...(more.subnet === undefined ? {} : { [annotations.logicalSwitch]: more.subnet }) },
		...(more.ofVm ? { ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm', uid: 'm1' }] } : {}),
	},
	spec: { domain: {}, networks: [{ name: 'default', pod: {} }] },
});
const machine: VirtualMachine = { metadata: { name: 'vm', namespace: 'ns', uid: 'm1' }, spec: { template: {} } } as VirtualMachine;
const leaseOf = (kind: string, uid: string, name: string): IpLease => ({
	metadata: { name: 'vm.ns', labels: { [labels.ownerUid]: uid }, annotations: { [annotations.owner]: `${kind}/ns/vm` } },
	spec: { subnet: name, ipAddress: '10.1.0.5', v4IpAddress: '10.1.0.5' },
});
const launcher = (uid: string, hostNetwork: boolean, phase = 'Running'): Pod => ({
	metadata: {
		name: 'virt-launcher-vm-a',
		namespace: 'ns',
		labels: { [labels.kubevirt]: 'virt-launcher' },
		ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm', uid }],
	},
	spec: { hostNetwork, containers: [] },
	status: { phase: phase as 'Running' },
});

const subnets = [
	subnet('ovn-default', '10.16.0.0/16'),
	subnet('direct', '10.1.0.0/24', 'tap'),
	subnet('bound', '10.2.0.0/24', 'bridge', ['bound']),
];

function sourcesOf(objects: { readonly [K in keyof LauncherSources]?: readonly KubeObject[] }): LauncherSources {
	const reflect = (list: readonly KubeObject[] = []) =>
		({
			objects: new Map(list.map((one) => [[one.metadata.namespace, one.metadata.name].filter(Boolean).join('/'), one])),
		}) as Pick<Reflector, 'objects'> as never;
	return {
		...{ ips: reflect(objects.ips), ipPools: reflect(), namespaces: reflect(objects.namespaces), pods: reflect(objects.pods) },
		...{ subnets: reflect(objects.subnets ?? subnets), vms: reflect(objects.vms) },
		vpcs: reflect([{ metadata: { name: 'ovn-cluster' }, spec: {} } as Vpc]),
	};
}
const look = (vmi: VirtualMachineInstance, objects: Parameters<typeof sourcesOf>[0] = {}) =>
	launcherSurroundings(vmi, sourcesOf(objects), options);
const saying = (name: string, annotation: string | undefined) => ({ subnet: { name, annotation } });

describe('launcherSurroundings', () => {
	it('has the subnet that the lease will get, while there is no lease', () => {
		expect(look(instance({ subnet: 'direct' }))).toEqual(saying('direct', 'tap'));
		expect(look(instance())).toEqual(saying('ovn-default', undefined));
		const bound = { ...instance(), metadata: { ...instance().metadata, namespace: 'bound' } };
		expect(look(bound)).toEqual(saying('bound', 'bridge'));
	});

	it("has the lease's subnet, whatever would be chosen now: the machine's, or the instance's own", () => {
		const moved = { ips: [leaseOf('VirtualMachineInstance', 'i1', 'direct')] };
		expect(look(instance(), moved)).toEqual(saying('direct', 'tap'));
		const ofVm = { vms: [machine], ips: [leaseOf('VirtualMachine', 'm1', 'direct')] };
		expect(look(instance({ ofVm: true }), ofVm)).toEqual(saying('direct', 'tap'));
	});

	it('does not take the lease of a predecessor', () => {
		expect(look(instance(), { ips: [leaseOf('VirtualMachineInstance', 'i0', 'direct')] })).toEqual(saying('ovn-default', undefined));
	});

	it('follows the launcher that runs, as its target of a migration has to', () => {
		for (const isOnNode of [true, false]) {
			expect(look(instance({ subnet: 'direct' }), { pods: [launcher('i1', isOnNode)] })).toEqual({ isOnNode });
		}
		for (const other of [launcher('i1', false, 'Succeeded'), launcher('i0', false)]) {
			expect(look(instance({ subnet: 'direct' }), { pods: [other] })).toEqual(saying('direct', 'tap'));
		}
	});

	it('does not look where nothing is left open, and finds nothing where nothing fits', () => {
		expect(look(instance({ mode: 'bridge', subnet: 'direct' }))).toEqual({});
		expect(look(instance({ subnet: 'nowhere' }))).toEqual({});
		expect(look(instance({ ofVm: true, subnet: 'direct' }))).toEqual({});
		expect(look(instance(), { subnets: [subnet('ovn-default', '10.16.0.0/16')] })).toEqual({});
	});
});
