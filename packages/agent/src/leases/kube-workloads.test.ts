import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createReflector, type KubeObject, type Pod, pods, type Reflector, type Resource } from '@tapestry/kube';
import {
	annotations,
	type IpLease,
	ipResource,
	labels,
	type Subnet,
	subnetResource,
	virtualMachineInstanceResource,
} from '@tapestry/network';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
// The package's own fake of an API; only tests may reach for it.
import { createMemoryApi, type MemoryApi } from '../../../kube/src/testing/memory-client.ts';
import { type KubeWorkloadDeps, KubeWorkloads } from './kube-workloads.ts';

let api: MemoryApi;
let deps: KubeWorkloadDeps;
let source: KubeWorkloads;
let reflectors: Reflector[];
const never = new AbortController().signal;
const ref = { namespace: 'default', name: 'a', uid: '' };

beforeEach(() => {
	api = createMemoryApi();
	reflectors = [];
	const follow = <T extends KubeObject>(resource: Resource): Reflector<T> => {
		const reflector = createReflector<T>(
			{ client: api.client(), clock: systemClock, random: Math.random, log: silentLogger },
			{ resource },
		);
		reflectors.push(reflector);
		return reflector;
	};
	deps = {
		client: api.client(),
		pods: follow<Pod>(pods),
		leases: follow<IpLease>(ipResource),
		subnets: follow<Subnet>(subnetResource),
	};
	source = new KubeWorkloads(deps, { mtu: 1442 });
});
afterEach(async () => {
	await Promise.all(reflectors.map((reflector) => reflector.close()));
});

const make = (resource: Resource, object: KubeObject) => api.client().create(resource, object);
const makeSubnet = () => make(subnetResource, { metadata: { name: 'net' }, spec: { cidrBlock: '10.16.0.0/16', gateway: '10.16.0.1' } });
const makePod = (uid: string, more: Partial<Pod['metadata']> = {}, status: Pod['status'] = {}) =>
	make(pods, { metadata: { name: 'a', namespace: 'default', uid, ...more }, status });
const makeLease = (name: string, ownerUid: string, owner: string, v4IpAddress = '10.16.0.7') =>
	make(ipResource, {
		metadata: { name, labels: { [labels.ownerUid]: ownerUid }, annotations: { [annotations.owner]: owner } },
		spec: { subnet: 'net', v4IpAddress, macAddress: '02:00:00:00:00:07' },
	});
const launcher = {
	labels: { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: 'vm' },
	ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm', uid: 'vmi' }],
};
const makeInstance = (owner: string, nic: object = {}) =>
	make(virtualMachineInstanceResource, {
		metadata: {
			name: 'vm',
			namespace: 'default',
			uid: 'vmi',
			ownerReferences: [{ apiVersion: 'v1', kind: 'VirtualMachine', name: 'vm', uid: owner }],
		},
		spec: { domain: { cpu: { cores: 2 }, devices: { networkInterfaceMultiqueue: true, interfaces: [{ name: 'default', ...nic }] } } },
	});

describe('the workload of a pod', () => {
	it('is there as soon as pod, lease and subnet are, in any order', async () => {
		const workload = source.workload(ref, never);
		await makeLease('a.default', 'u1', 'Pod/default/a');
		await makePod('u1');
		await makeSubnet();
		expect(await workload).toMatchObject({
			kind: 'pod',
			port: { name: 'a.default', ownerUid: 'u1', addresses: [{ address: '10.16.0.7/16' }] },
		});
		expect(source.ready).toBe(true);
	});

	it('is never that of a predecessor of the same name', async () => {
		await makeSubnet();
		await makeLease('a.default', 'old', 'Pod/default/a', '10.16.0.99');
		await makePod('new');
		const workload = source.workload({ ...ref, uid: 'new' }, never);
		await makeLease('a.default.12345678', 'new', 'Pod/default/a');
		expect(await workload).toMatchObject({ port: { name: 'a.default.12345678', ownerUid: 'new' } });
	});

	it('is refused with what the pod says about it when the time is over', async () => {
		const message = 'address 10.16.0.7 is taken by pod default/b';
		await makePod(
			'u1',
			{},
			{
				conditions: [
					{ type: 'Ready', status: 'False' },
					{ type: 'AddressAssigned', status: 'False', message },
				],
			},
		);
		await Promise.all(reflectors.map((reflector) => reflector.synced()));
		const waiting = source.workload(ref, AbortSignal.abort());
		await expect(waiting).rejects.toMatchObject({ code: 'AGENT_NO_LEASE', message: expect.stringContaining(message) });
		const unknown = source.workload({ ...ref, name: 'b' }, AbortSignal.abort());
		await expect(unknown).rejects.toThrow('the Kubernetes API does not show the pod on this node');
	});
});

describe('the workload of a launcher', () => {
	it("is its machine's, with the queues that the instance asks for", async () => {
		await makeSubnet();
		await makePod('launcher-uid', launcher);
		await makeInstance('vm-uid');
		await makeLease('vm.default', 'vm-uid', 'VirtualMachine/default/vm');
		expect(await source.workload(ref, never)).toMatchObject({
			kind: 'machine',
			queues: 2,
			port: { name: 'vm.default', ownerUid: 'vm-uid' },
		});
	});

	it.each([
		[true, { masquerade: {} }, { kind: 'pod' }],
		[true, { binding: { name: 'tapestry' } }, { kind: 'machine', mode: 'lift' }],
		[false, { masquerade: {} }, { kind: 'machine', mode: 'masquerade' }],
	])('leaves the bindings of KubeVirt to virt-handler where it is there: %s, %j', async (hasVirtHandler, nic, workload) => {
		await makeSubnet();
		await makePod('launcher-uid', launcher);
		await makeInstance('vm-uid', nic);
		await makeLease('vm.default', 'vm-uid', 'VirtualMachine/default/vm');
		expect(await new KubeWorkloads(deps, { mtu: 1442, hasVirtHandler }).workload(ref, never)).toMatchObject(workload);
	});

	it('is never that of a deleted machine of the same name', async () => {
		await makeSubnet();
		await makePod('launcher-uid', launcher);
		await makeInstance('new');
		await makeLease('vm.default', 'old', 'VirtualMachine/default/vm', '10.16.0.99');
		const workload = source.workload(ref, never);
		await makeLease('vm.default.12345678', 'new', 'VirtualMachine/default/vm');
		expect(await workload).toMatchObject({ port: { name: 'vm.default.12345678', ownerUid: 'new' } });
	});
});
