import { type EndpointSlice, endpointSlices, type KubeObject, type Pod, pods } from '@tapestry/kube';
import type { PortPath } from '@tapestry/lab';
import {
	annotations,
	type IpLease,
	ipResource,
	type VirtualMachine,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
	virtualMachineResource,
} from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
	applyYaml,
	deleteYaml,
	guestHasAddresses,
	inWorkload,
	kube,
	kubeJson,
	nbctl,
	sharedLab,
	tapestry,
	waitReady,
} from './harness/lab.ts';
import { LabWatch } from './harness/watch.ts';

const namespace = 'identity';
const mac = '02:00:00:1D:00:01';
const machine = (name: string, more: string, spec: string) => `---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  ${more}
  template:
    metadata: { labels: { app: twin } }
    spec:
      terminationGracePeriodSeconds: 0
      domain:
        memory: { guest: 192Mi }
        devices: { interfaces: [{ name: default, ${spec} }] }
      networks: [{ name: default, pod: {} }]
`;
/** A pod and a VM of one name, a pod to look from, and a Service for the VM alone. */
const objects = `apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: Pod
metadata: { name: twin, namespace: ${namespace} }
spec: { containers: [{ name: main, image: "nginx:alpine" }] }
---
apiVersion: v1
kind: Service
metadata: { name: twin, namespace: ${namespace} }
spec: { selector: { app: twin }, ports: [{ port: 80 }] }
${machine('twin', 'runStrategy: Always', `macAddress: "${mac}"`)}`;

const watch = new LabWatch();
let vms: ReadonlyMap<string, VirtualMachine>;
let instances: ReadonlyMap<string, VirtualMachineInstance>;
let leases: ReadonlyMap<string, IpLease>;
let launchers: ReadonlyMap<string, Pod>;
let slices: ReadonlyMap<string, EndpointSlice>;

beforeAll(async () => {
	vms = await watch.follow(virtualMachineResource, namespace);
	instances = await watch.follow(virtualMachineInstanceResource, namespace);
	leases = await watch.follow(ipResource);
	launchers = await watch.follow(pods, namespace);
	slices = await watch.follow(endpointSlices, namespace);
	await applyYaml(objects);
	await waitReady(namespace, 'pod/twin');
});
afterAll(async () => {
	await deleteYaml(objects);
	await watch[Symbol.asyncDispose]();
});

const vm = (name = 'twin') => vms.get(`${namespace}/${name}`);
const vmi = (name = 'twin') => instances.get(`${namespace}/${name}`);
const leaseOf = (kind: string, name = 'twin') =>
	[...leases.values()].find(({ metadata }) => metadata.annotations?.[annotations.owner] === `${kind}/${namespace}/${name}`);
const launcherOf = (name = 'twin') =>
	[...launchers.values()].find(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === vmi(name)?.metadata.uid));

const guest = async (...command: readonly string[]) => (await inWorkload(namespace, 'vm/twin', ...command)).stdout;
const patch = (name: string, spec: object) =>
	watch.client.patch(virtualMachineResource, { name, namespace }, 'application/merge-patch+json', { spec });
/** As virtctl does it; a restart is a stop and a start in one. */
const ask = (...actions: readonly ('Start' | 'Stop')[]) => {
	const stateChangeRequests = actions.map((action) => ({ action, ...(action === 'Stop' ? { uid: vmi()?.metadata.uid } : {}) }));
	const body = { status: { stateChangeRequests } };
	const options = { subresource: 'status' };
	return watch.client.patch<KubeObject>(virtualMachineResource, { name: 'twin', namespace }, 'application/merge-patch+json', body, options);
};
/** Another instance than `before` runs. */
const runs = (before: string | undefined, name = 'twin') =>
	watch.until(`${name} runs anew`, () => vmi(name)?.metadata.uid !== before && vmi(name)?.status?.phase === 'Running' && vmi(name));
const stands = () => watch.until('there is no instance', () => vmi() === undefined && vm()?.status?.printableStatus === 'Stopped');

/** What makes the machine the same to everybody: its lease, and its port with all that refers to it. */
async function identity() {
	const { metadata, spec } = leaseOf('VirtualMachine') ?? {};
	const { v4IpAddress, v6IpAddress, macAddress } = spec ?? {};
	const port = await nbctl('--columns=_uuid,addresses,port_security', 'list', 'Logical_Switch_Port', metadata?.name ?? '');
	return { uid: metadata?.uid, name: metadata?.name, v4IpAddress, v6IpAddress, macAddress, port };
}

/** Of the process that has the machine's tap open. */
async function pidOfVmm(): Promise<number> {
	const { stdout } = await tapestry(['show', 'port', '--name', sharedLab().id, '-n', namespace, '--json', 'vm/twin']);
	const path = JSON.parse(stdout) as PortPath;
	const [, pid] = /pid (\d+)/.exec(String(path.hops.find(({ kind }) => kind === 'tap')?.facts.heldBy)) ?? [];
	return Number(pid);
}

function addressesOfService(): readonly string[] {
	return [...slices.values()].flatMap(({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses)).sort();
}

describe('a machine', () => {
	let first: Awaited<ReturnType<typeof identity>>;

	it('has a lease of its own beside a pod of its name, with the MAC address of its spec', async () => {
		await runs(undefined);
		first = await identity();
		expect(first).toMatchObject({ macAddress: mac, v4IpAddress: expect.stringMatching(/^10\.16\./) });
		expect(leaseOf('Pod')?.spec.ipAddress).not.toBe(leaseOf('VirtualMachine')?.spec.ipAddress);
		await guestHasAddresses(namespace, 'twin');
		expect(await guest('sh', '-c', 'hostname; /sbin/addresses')).toBe(
			`twin\nmac=${mac.toLowerCase()} mtu=1442 addresses=${first.v4IpAddress}/16,${first.v6IpAddress}/128\n`,
		);
	});

	it('is one endpoint of a Service, found by the labels of its template', async () => {
		await watch.until('its endpoint', () => addressesOfService().length > 0);
		expect(addressesOfService()).toEqual([first.v4IpAddress]);
		const { spec } = await kubeJson<{ spec: { clusterIP: string } }>('get', 'service', '-n', namespace, 'twin');
		const page = ['curl', '-s', '--retry', '10', '--retry-connrefused', '--max-time', '30', `http://${spec.clusterIP}/`];
		expect((await inWorkload(namespace, 'pod/twin', ...page)).stdout).toContain('vm twin');
	});

	it('stays itself when its guest restarts, in the same launcher', async () => {
		const before = vmi()?.metadata.uid;
		await guest('sh', '-c', 'echo 1 >/tmp/before');
		await guest('reboot', '-f');
		expect((await inWorkload(namespace, 'vm/twin', 'test', '-e', '/tmp/before')).status).toBe(1);
		expect(vmi()?.metadata.uid).toBe(before);
		expect(await identity()).toEqual(first);
	});

	it('stays itself when its launcher is deleted, and is never two endpoints', async () => {
		const before = vmi()?.metadata.uid;
		const seen = new Set<number>();
		const note = watch.until('its endpoints again', () => {
			seen.add(addressesOfService().length);
			return vmi()?.metadata.uid !== before && vmi()?.status?.phase === 'Running' && addressesOfService().includes(first.v4IpAddress ?? '');
		});
		await kube('delete', 'pod', '-n', namespace, launcherOf()?.metadata.name ?? '');
		await runs(before);
		await note;
		expect(Math.max(...seen)).toBe(1);
		expect(await identity()).toEqual(first);
	});

	it('stays itself when it is stopped, started and restarted', async () => {
		const before = vmi()?.metadata.uid;
		await patch('twin', { runStrategy: 'Halted' });
		await stands();
		expect(await identity()).toEqual(first);
		await patch('twin', { runStrategy: 'Manual' });
		await ask('Start');
		const { metadata } = await runs(before);
		expect(await identity()).toEqual(first);
		await ask('Stop', 'Start');
		await runs(metadata.uid);
		expect(await identity()).toEqual(first);
		await watch.until('nothing is asked any more', () => !('stateChangeRequests' in (vm()?.status ?? {})));
		await ask('Stop');
		await stands();
		expect(await identity()).toEqual(first);
	});

	it('stays itself when it ends: RerunOnFailure starts it after a failure only, Once never', async () => {
		await patch('twin', { runStrategy: 'RerunOnFailure' });
		const { metadata } = await runs(undefined);
		// A guest that has its addresses has got them through its tap, which is in its place then.
		await guestHasAddresses(namespace, 'twin');
		process.kill(await pidOfVmm(), 'SIGKILL');
		const again = await runs(metadata.uid);
		await guest('poweroff', '-f');
		await watch.until('it has succeeded', () => vmi()?.status?.phase === 'Succeeded');
		const { metadata: asked } = await patch('twin', { runStrategy: 'Once' });
		await watch.until('that is seen', () => vm()?.status?.observedGeneration === asked.generation);
		expect(vmi()?.metadata.uid).toBe(again.metadata.uid);
		expect(await identity()).toEqual(first);
	});

	it('loses its lease when it is deleted; the pod of its name keeps its own', async () => {
		const ofPod = leaseOf('Pod')?.spec;
		await kube('delete', 'vm', '-n', namespace, 'twin');
		await watch.until('its lease is gone', () => leaseOf('VirtualMachine') === undefined);
		expect(leaseOf('Pod')?.spec).toEqual(ofPod);
	});
});

describe('an instance alone', () => {
	it('has the MAC address of its annotation, and loses its lease when it goes', async () => {
		const asked = '02:00:00:1D:00:02';
		const metadata = { name: 'alone', namespace, annotations: { [annotations.macAddress]: asked } };
		const spec = { terminationGracePeriodSeconds: 0, domain: { memory: { guest: '192Mi' }, devices: {} } };
		await watch.client.create<KubeObject>(virtualMachineInstanceResource, { metadata, spec });
		await runs(undefined, 'alone');
		expect(leaseOf('VirtualMachineInstance', 'alone')?.spec.macAddress).toBe(asked);
		await kube('delete', 'vmi', '-n', namespace, 'alone');
		await watch.until('its lease is gone', () => leaseOf('VirtualMachineInstance', 'alone') === undefined);
	});
});
