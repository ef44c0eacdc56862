import { findCondition, pods } from '@tapestry/kube';
import { annotations, labels, type VirtualMachine, virtualMachineInstanceResource, virtualMachineResource } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { networkReady } from './status/reporter.ts';
import { TestCluster, type TestController } from './testing/cluster.ts';
import { insistOnWebhooks, registeredWebhooks } from './testing/webhooks.ts';

let cluster: TestCluster;
let controller: TestController;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
	controller = await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const { ingressRate, egressRate, ingressBurst, mirror } = annotations;

/** What is in the database: `outport == "a.default" 3000/1200`. */
const limits = () =>
	cluster
		.rows('QoS')
		.map(({ match, bandwidth }) => {
			const { rate, burst } = bandwidth as { rate: number; burst: number };
			return `${match} ${rate}/${burst}`;
		})
		.sort();
const becomes = (...wanted: readonly string[]) =>
	cluster.until(
		() => `the limits ${wanted.join(', ')}; they are ${limits().join(', ')}`,
		() => limits().join() === wanted.join(),
	);
/** The database and the objects are two copies, of which either may be behind. */
const agrees = () => cluster.until('the database is what the objects call for', () => cluster.differences().length === 0);
const annotate = (name: string, asked: Readonly<Record<string, string | null>>) =>
	cluster.client.patch(pods, { name, namespace: 'default' }, 'application/merge-patch+json', { metadata: { annotations: asked } });
const readiness = (pod: string) => findCondition(cluster.pod(pod)?.status?.conditions, networkReady);
const said = (lease: string, key: string) => cluster.sources.ips.objects.get(lease)?.metadata.annotations?.[key];

it('holds a running pod to what it asks for now, and says on its lease what that is', async () => {
	await cluster.addPod('a', { annotations: { [ingressRate]: '3', [mirror]: 'true' } });
	await becomes('outport == "a.default" 3000/1200');
	await cluster.until('the lease says so', () => said('a.default', ingressRate) === '3' && said('a.default', mirror) === 'true');
	await annotate('a', { [ingressRate]: '5', [ingressBurst]: '10', [egressRate]: '1' });
	await becomes('inport == "a.default" 1000/600', 'outport == "a.default" 5000/10000');
	await annotate('a', { [ingressRate]: null, [ingressBurst]: null, [mirror]: null });
	await becomes('inport == "a.default" 1000/600');
	await cluster.until('the lease says nothing of it', () => said('a.default', ingressRate) === undefined && !said('a.default', mirror));
	await agrees();
});

it('keeps what is in force when it cannot read what is asked, over a restart too, and says so until it can', async () => {
	await annotate('a', { [egressRate]: '2' });
	await becomes('inport == "a.default" 2000/800');
	// What is in force counts from when the lease says so.
	await cluster.until('the lease says so', () => said('a.default', egressRate) === '2');
	await annotate('a', { [egressRate]: 'fast' });
	await cluster.until('the pod is told', () => readiness('a')?.reason === 'RateMalformed');
	expect(readiness('a')).toMatchObject({ status: 'False', message: expect.stringMatching(/egress_rate cannot be "fast": .*\(fix: write/) });
	await cluster.until('an event', () => cluster.eventAbout('a', 'RateMalformed') !== undefined);
	await becomes('inport == "a.default" 2000/800');
	await controller.kill('SIGKILL');
	controller = await cluster.startController('a');
	await cluster.addPod('later', { annotations: { [egressRate]: '1' } });
	await becomes('inport == "a.default" 2000/800', 'inport == "later.default" 1000/600');
	await agrees();
	await annotate('a', { [egressRate]: '4' });
	await becomes('inport == "a.default" 4000/1600', 'inport == "later.default" 1000/600');
	await cluster.until('the pod is well', () => readiness('a')?.status === 'True');
	for (const name of ['a', 'later']) await cluster.client.remove(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 });
	await becomes();
});

it('holds a machine to its template and, where that says nothing, to its launcher', async () => {
	const machine = (asked: Readonly<Record<string, string>>): VirtualMachine => ({
		metadata: { name: 'vm', namespace: 'default' },
		spec: { running: true, template: { metadata: { annotations: asked } } },
	});
	const { uid = '' } = (await cluster.client.create(virtualMachineResource, machine({ [ingressRate]: '10' }))).metadata;
	await becomes('outport == "vm.default" 10000/4000');
	const template = (asked: Readonly<Record<string, string | null>>) =>
		cluster.client.patch(virtualMachineResource, { name: 'vm', namespace: 'default' }, 'application/merge-patch+json', {
			spec: { template: { metadata: { annotations: asked } } },
		});
	await template({ [ingressRate]: '20' });
	await becomes('outport == "vm.default" 20000/8000');
	await template({ [ingressRate]: null, 'ovn.kubernetes.io/latency': '5' });
	await becomes();
	const conditions = () => cluster.sources.vms.objects.get('default/vm')?.status?.conditions;
	await cluster.until('it is told what is not built', () => findCondition(conditions() as never, networkReady)?.reason === 'NotBuilt');
	const ownerReferences = [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm', uid, controller: true }];
	await cluster.client.create(virtualMachineInstanceResource, {
		metadata: { name: 'vm', namespace: 'default', ownerReferences },
		spec: { domain: {} },
	});
	await cluster.client.create(pods, {
		metadata: { name: 'l', namespace: 'default', labels: { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: 'vm' } },
		spec: { nodeName: 'n1', containers: [{ name: 'compute', image: 'none' }] },
	} as never);
	await annotate('l', { [egressRate]: '7' });
	await becomes('inport == "vm.default" 7000/2800');
	await cluster.client.remove(pods, { name: 'l', namespace: 'default' }, { gracePeriodSeconds: 0 });
	await becomes();
	await cluster.client.remove(virtualMachineResource, { name: 'vm', namespace: 'default' });
});

it('refuses at admission what nothing can make right', async () => {
	await controller.kill('SIGKILL');
	controller = await cluster.startController('a', '--webhook', '127.0.0.1:0');
	const refused = (asked: Readonly<Record<string, string>>) => cluster.addPod('bad', { annotations: asked }).then(() => 'created', String);
	await registeredWebhooks(cluster.client);
	await insistOnWebhooks(cluster.client);
	const why = '"traffic.tapestry.io" denied the request: ovn.kubernetes.io/ingress_rate cannot be "-3": it is not a number';
	expect(await refused({ [ingressRate]: '-3' })).toContain(why);
	expect(await refused({ [annotations.ingressBandwidth]: '1Pi' })).toContain('it is more than 4294967 Mbit/s');
	expect(await refused({ [mirror]: 'please' })).toContain('it is neither true nor false');
	await cluster.addPod('good', { annotations: { [ingressRate]: '3' } });
	await becomes('outport == "good.default" 3000/1200');
	await expect(annotate('good', { [ingressRate]: 'x' })).rejects.toThrow('denied the request');
	await annotate('good', { [ingressRate]: '4' });
	await becomes('outport == "good.default" 4000/1600');
	const vm = {
		metadata: { name: 'bad', namespace: 'default' },
		spec: { running: true, template: { metadata: { annotations: { [ingressBurst]: 'x' } } } },
	};
	await expect(cluster.client.create(virtualMachineResource, vm)).rejects.toThrow('ingress_burst cannot be "x"');
});
