import { isDeepStrictEqual } from 'node:util';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import {
	createKubeClient,
	createReflector,
	customResourceDefinitions as definitionsResource,
	findCondition,
	type KubeConnection,
	type KubeObject,
	nodes as nodesResource,
	type Pod,
	pods as podsResource,
	type Reflector,
	type Resource,
} from '@tapestry/kube';
import {
	customResourceDefinitions,
	type VirtualMachine,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
	virtualMachineResource,
} from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../../../apiserver/src/testing/server.ts';
import { changesOf, until } from '../../../base/src/testing/until.ts';
import { decideInstance } from './instance.ts';
import { decideMachine, type MachineStatus } from './machine.ts';
import { runVirtController } from './virt-controller.ts';

const deps = { clock: systemClock, random: Math.random, log: silentLogger };
const namespace = 'default';
const abort = new AbortController();
let server: TestApiServer;
let client: KubeConnection;
let ended: Promise<void>;
let machines: Reflector<VirtualMachine>;
let instances: Reflector<VirtualMachineInstance>;
let pods: Reflector<Pod>;

beforeAll(async () => {
	server = await startTestApiServer();
	client = createKubeClient(deps, { kubeconfig: server.kubeconfig });
	for (const definition of customResourceDefinitions()) await client.create(definitionsResource, definition as KubeObject);
	const ready = Promise.withResolvers<void>();
	ended = runVirtController({ ...deps, client }, abort.signal, ready.resolve);
	await ready.promise;
	const follow = <T extends KubeObject>(resource: Resource) => createReflector<T>({ ...deps, client }, { resource, namespace });
	machines = follow(virtualMachineResource);
	instances = follow(virtualMachineInstanceResource);
	pods = follow(podsResource);
	await Promise.all([machines.synced(), instances.synced(), pods.synced()]);
});

afterAll(async () => {
	abort.abort();
	await ended;
	await Promise.all([machines, instances, pods].map((reflector) => reflector.close()));
	client.close();
	await server.close();
});

/** Resolves with what `find` returns, looked at after each change of anything. Each kind comes by a watch of its own: none tells how far another one is. */
function eventually<T>(find: () => T | undefined | false): Promise<T> {
	const statuses = () => [machines, instances, pods].flatMap(({ objects }) => [...objects].map(([key, { status }]) => [key, status]));
	return until(() => `${find} of ${JSON.stringify(statuses())}`, changesOf(machines, instances, pods), find);
}

const vmOf = (name: string) => machines.objects.get(`${namespace}/${name}`);
const vmiOf = (name: string) => instances.objects.get(`${namespace}/${name}`);
const podsOf = (vmi: VirtualMachineInstance | undefined) =>
	[...pods.objects.values()].filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === vmi?.metadata.uid));
const printable = (name: string, status: string) => eventually(() => vmOf(name)?.status?.printableStatus === status);

function create(name: string, spec: object): Promise<KubeObject> {
	// The version that older manifests use.
	const older = { ...virtualMachineResource, version: 'v1alpha3' };
	return client.create<KubeObject>(older, { metadata: { name, namespace }, spec });
}

/** What the scheduler and the kubelet do. */
async function run(pod: Pod, status: object): Promise<void> {
	if (!pod.spec?.nodeName) {
		const binding = {
			apiVersion: 'v1',
			kind: 'Binding',
			metadata: { name: pod.metadata.name, namespace },
			target: { kind: 'Node', name: 'n1' },
		};
		await client.create(podsResource, binding as KubeObject, { subresource: 'binding' });
	}
	await client.patch(podsResource, pod.metadata, 'application/merge-patch+json', { status }, { subresource: 'status' });
}

/** Deletes a machine and waits until nothing is left of it; plays the kubelet of its pods. */
async function drop(name: string): Promise<void> {
	await client.remove(virtualMachineResource, { name, namespace });
	await eventually(() => {
		for (const pod of podsOf(vmiOf(name))) {
			if (pod.metadata.deletionTimestamp) client.remove(podsResource, pod.metadata, { gracePeriodSeconds: 0 }).catch(() => {});
		}
		return !machines.objects.has(`${namespace}/${name}`);
	});
}

function ask(name: string, stateChangeRequests: readonly object[]): Promise<KubeObject> {
	const body = { status: { stateChangeRequests } };
	return client.patch(virtualMachineResource, { name, namespace }, 'application/merge-patch+json', body, { subresource: 'status' });
}

const running = (ip: string) => ({
	phase: 'Running',
	podIP: ip,
	podIPs: [{ ip }],
	containerStatuses: [{ name: 'compute', ready: true, restartCount: 0, image: 'none', imageID: '', state: { running: {} } }],
});
const template = (metadata: object = {}) => ({ template: { metadata, spec: { domain: { devices: {} } } } });

describe('virt-controller', () => {
	it('starts a machine, follows it, restarts it when it ends, stops it and lets it go', async () => {
		await create('one', { running: true, ...template({ annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.15' } }) });
		const [first] = await eventually(() => podsOf(vmiOf('one')).length === 1 && podsOf(vmiOf('one')));
		expect(first?.metadata.annotations).toMatchObject({ 'ovn.kubernetes.io/ip_address': '10.16.0.15', 'kubevirt.io/domain': 'one' });
		await printable('one', 'Starting');
		await run(first!, running('10.16.0.15'));
		await printable('one', 'Running');
		expect(vmOf('one')?.status).toMatchObject({ created: true, ready: true });
		await eventually(() => vmiOf('one')?.status?.phase === 'Running');
		expect(vmiOf('one')?.status).toMatchObject({
			phase: 'Running',
			nodeName: 'n1',
			interfaces: [{ name: 'default', ipAddress: '10.16.0.15', ipAddresses: ['10.16.0.15'] }],
		});

		// What the API server stored is what would be written again: nothing of it was pruned or defaulted.
		await eventually(() => isDeepStrictEqual(decideMachine(vmOf('one')!, vmiOf('one'), Date.now()).status, vmOf('one')?.status));
		await eventually(() =>
			isDeepStrictEqual(decideInstance(vmiOf('one')!, podsOf(vmiOf('one')), Date.now(), () => false).status, vmiOf('one')?.status),
		);

		const before = vmiOf('one')?.metadata.uid;
		await run(pods.objects.get(`${namespace}/${first!.metadata.name}`)!, { phase: 'Failed' });
		const second = await eventually(() => vmiOf('one')?.metadata.uid !== before && podsOf(vmiOf('one'))[0]);
		expect(second.metadata.name).not.toBe(first?.metadata.name);
		const startFailure = () => (vmOf('one')?.status as MachineStatus | undefined)?.startFailure;
		await eventually(() => startFailure()?.lastFailedVMIUID === before);
		expect(startFailure()?.consecutiveFailCount).toBe(1);
		expect(pods.objects.has(`${namespace}/${first!.metadata.name}`)).toBe(false);

		await client.patch(virtualMachineResource, { name: 'one', namespace }, 'application/merge-patch+json', { spec: { running: false } });
		await printable('one', 'Stopped');
		await eventually(() => instances.objects.size + pods.objects.size === 0);
		await client.remove(virtualMachineResource, { name: 'one', namespace });
		await eventually(() => machines.objects.size === 0);
	});

	it('holds a removed machine and its instance until the launcher has ended', async () => {
		await create('two', { runStrategy: 'Always', ...template() });
		const pod = await eventually(() => podsOf(vmiOf('two'))[0]);
		await run(pod, running('10.16.0.16'));
		await printable('two', 'Running');
		await client.remove(virtualMachineResource, { name: 'two', namespace });
		await eventually(() => pods.objects.get(`${namespace}/${pod.metadata.name}`)?.metadata.deletionTimestamp !== undefined);
		await printable('two', 'Terminating');
		await eventually(() => vmiOf('two')?.metadata.deletionTimestamp);
		// The kubelet's last word.
		await client.remove(podsResource, pod.metadata, { gracePeriodSeconds: 0 });
		await eventually(() => machines.objects.size + instances.objects.size + pods.objects.size === 0);
	});

	it('says what is wrong with a machine and starts it when it is put right', async () => {
		await create('three', { running: true, template: { metadata: {} } });
		const failure = () => findCondition(vmOf('three')?.status?.conditions, 'Failure');
		await eventually(() => failure());
		expect(failure()?.message).toContain('spec.template.spec.domain is missing (fix: ');
		const patch = { spec: template() };
		await client.patch(virtualMachineResource, { name: 'three', namespace }, 'application/merge-patch+json', patch);
		await eventually(() => podsOf(vmiOf('three'))[0]);
		await eventually(() => failure() === undefined);
		await client.remove(virtualMachineResource, { name: 'three', namespace });
		await eventually(() => machines.objects.size + pods.objects.size === 0);
	});

	it('restarts a machine whose instance is deleted', async () => {
		await create('four', { running: true, ...template() });
		const first = await eventually(() => podsOf(vmiOf('four'))[0]);
		await run(first, running('10.16.0.19'));
		const before = vmiOf('four')?.metadata.uid;
		await client.remove(virtualMachineInstanceResource, { name: 'four', namespace });
		await eventually(() => pods.objects.get(`${namespace}/${first.metadata.name}`)?.metadata.deletionTimestamp);
		expect(vmiOf('four')?.metadata.uid).toBe(before);
		await client.remove(podsResource, first.metadata, { gracePeriodSeconds: 0 });
		await eventually(() => vmiOf('four')?.metadata.uid !== before && podsOf(vmiOf('four'))[0]);
		await drop('four');
	});

	it('starts and stops a machine that runs by hand, as virtctl asks for it', async () => {
		await create('five', { runStrategy: 'Manual', ...template() });
		await printable('five', 'Stopped');
		await ask('five', [{ action: 'Start' }]);
		const pod = await eventually(() => podsOf(vmiOf('five'))[0]);
		await run(pod, running('10.16.0.17'));
		await printable('five', 'Running');
		expect(vmOf('five')?.status).not.toHaveProperty('stateChangeRequests');
		await ask('five', [{ action: 'Stop', uid: vmiOf('five')?.metadata.uid }]);
		await eventually(() => pods.objects.get(`${namespace}/${pod.metadata.name}`)?.metadata.deletionTimestamp);
		await client.remove(podsResource, pod.metadata, { gracePeriodSeconds: 0 });
		await printable('five', 'Stopped');
		await eventually(() => !('stateChangeRequests' in (vmOf('five')?.status ?? {})));
		await drop('five');
	});

	it('runs a machine of a long name and an instance that stands alone, beside one that cannot run', async () => {
		const long = 'x'.repeat(70);
		await create('bad', { running: true, template: { spec: { domain: { memory: { guest: '0' } } } } });
		await create(long, { running: true, ...template() });
		const alone = { metadata: { name: 'alone', namespace }, spec: { domain: { devices: {} } } };
		await client.create<KubeObject>(virtualMachineInstanceResource, alone);
		await eventually(() => podsOf(vmiOf(long))[0]);
		const pod = await eventually(() => podsOf(vmiOf('alone'))[0]);
		await run(pod, { phase: 'Failed' });
		await eventually(() => vmiOf('alone')?.status?.phase === 'Failed');
		const failure = await eventually(() => findCondition(vmOf('bad')?.status?.conditions, 'Failure'));
		expect(failure.message).toContain('the memory of the machine is of no use: it is zero (fix: ');
		expect(vmiOf('bad')).toBeUndefined();
		await client.remove(virtualMachineInstanceResource, { name: 'alone', namespace });
		await Promise.all([drop('bad'), drop(long)]);
		await eventually(() => instances.objects.size === 0);
	});

	it('starts a machine elsewhere when its node is lost', async () => {
		await create('six', { running: true, template: { spec: { ...template().template.spec, terminationGracePeriodSeconds: 0 } } });
		const pod = await eventually(() => podsOf(vmiOf('six'))[0]);
		await run(pod, running('10.16.0.18'));
		await printable('six', 'Running');
		const before = vmiOf('six')?.metadata.uid;
		// What the node lifecycle controller does.
		const taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
		await client.create<KubeObject>(nodesResource, { metadata: { name: 'n1' }, spec: { taints: [taint] } });
		await client.remove(podsResource, pod.metadata, { gracePeriodSeconds: 1 });
		await eventually(() => vmiOf('six')?.metadata.uid !== before && podsOf(vmiOf('six'))[0]);
		expect(pods.objects.has(`${namespace}/${pod.metadata.name}`)).toBe(false);
		await client.remove(nodesResource, { name: 'n1' });
		await drop('six');
	});
});
