import { findCondition, pods } from '@tapestry/kube';
import { annotations, finalizer, type Subnet, subnetResource, type Vpc, vpcResource } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { networkReady } from './status/reporter.ts';
import { TestCluster, type TestController } from './testing/cluster.ts';

let cluster: TestCluster;
let controller: TestController;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
	controller = await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const subnet = (name: string) => cluster.sources.subnets.objects.get(name);
const vpc = (name: string) => cluster.sources.vpcs.objects.get(name);
const terminating = (object: Subnet | Vpc | undefined) => findCondition(object?.status?.conditions as never, 'Terminating');
const isGuarded = (object: Subnet | Vpc | undefined) => object?.metadata.finalizers?.includes(finalizer) ?? false;
const hasSwitch = (name: string) => cluster.rows('Logical_Switch').some((row) => row.name === name);
const hasRouter = (name: string) => cluster.rows('Logical_Router').some((row) => row.name === name);
const removePod = (name: string) => cluster.client.remove(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 });

async function networkWithPod(name: string, cidrBlock: string): Promise<void> {
	await cluster.client.create<Vpc>(vpcResource, { metadata: { name: `${name}-vpc` }, spec: {} });
	await cluster.client.create<Subnet>(subnetResource, { metadata: { name }, spec: { vpc: `${name}-vpc`, cidrBlock } });
	await cluster.addPod(`${name}-web`, { annotations: { [annotations.logicalSwitch]: name } });
	await cluster.until('the pod has a port', () => cluster.port(`${name}-web.default`) !== undefined);
	await cluster.until('both are guarded', () => isGuarded(subnet(name)) && isGuarded(vpc(`${name}-vpc`)));
}

it('keeps a subnet while somebody has an address of it, says who, and gives no more', async () => {
	await networkWithPod('net1', '10.1.0.0/24');
	await cluster.client.remove(subnetResource, { name: 'net1' });
	await cluster.until('it says who', () => terminating(subnet('net1'))?.status === 'True');
	expect(terminating(subnet('net1'))).toMatchObject({ reason: 'InUse', message: expect.stringMatching(/net1-web\.default.*fix: /) });
	await cluster.addPod('late', { annotations: { [annotations.logicalSwitch]: 'net1' } });
	const late = () => findCondition(cluster.pod('late')?.status?.conditions, networkReady);
	await cluster.until('the late pod is refused', () => late()?.reason === 'SubnetLeaving');
	expect(hasSwitch('net1') && cluster.port('net1-web.default') !== undefined).toBe(true);
	await removePod('net1-web');
	await cluster.until('it is gone', () => subnet('net1') === undefined && !hasSwitch('net1'));
});

it('keeps a VPC while it has subnets, and lets all go in order', async () => {
	await networkWithPod('net2', '10.2.0.0/24');
	await cluster.client.remove(vpcResource, { name: 'net2-vpc' });
	await cluster.until('it says who', () => terminating(vpc('net2-vpc'))?.message?.includes('its subnets net2 are in use') ?? false);
	await cluster.client.remove(subnetResource, { name: 'net2' });
	await cluster.until('so does the subnet', () => terminating(subnet('net2'))?.status === 'True');
	expect(hasRouter('net2-vpc')).toBe(true);
	await removePod('net2-web');
	await cluster.until('both are gone', () => !subnet('net2') && !vpc('net2-vpc') && !hasSwitch('net2') && !hasRouter('net2-vpc'));
});

it('lets go of what was deleted while no controller ran', async () => {
	await networkWithPod('net3', '10.3.0.0/24');
	await controller.kill('SIGKILL');
	await cluster.client.remove(subnetResource, { name: 'net3' });
	await removePod('net3-web');
	controller = await cluster.startController('a');
	await cluster.until('it is gone', () => subnet('net3') === undefined && !hasSwitch('net3'));
});
