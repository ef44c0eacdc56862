import { isCoded } from '@tapestry/base';
import { pods } from '@tapestry/kube';
import { annotations } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster, type TestController } from './testing/cluster.ts';

let cluster: TestCluster;
let controller: TestController;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1', 'fd00:172:30::1');
	controller = await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

it('gives a pod a lease, a port and the annotations that users read, and takes them back', async () => {
	await cluster.addPod('web');
	await cluster.until('the pod has its annotations and its port', () => isAnnotated('web') && cluster.port('web.default') !== undefined);
	expect(cluster.pod('web')?.metadata.annotations).toMatchObject({
		[annotations.ipAddress]: '10.16.0.2,fd00:10:16::2',
		[annotations.macAddress]: '02:58:0A:10:00:02',
		[annotations.gateway]: '10.16.0.1,fd00:10:16::1',
		[annotations.logicalSwitch]: 'ovn-default',
		[annotations.logicalRouter]: 'ovn-cluster',
	});
	const uid = cluster.pod('web')?.metadata.uid;
	expect(cluster.port('web.default')).toMatchObject({
		addresses: ['02:58:0A:10:00:02 10.16.0.2 fd00:10:16::2'],
		options: { 'requested-chassis': 'n1', 'iface-id-ver': uid },
	});
	await cluster.client.remove(pods, { name: 'web', namespace: 'default' }, { gracePeriodSeconds: 0 });
	await cluster.until('lease and port are gone', () => !cluster.port('web.default') && !cluster.sources.ips.objects.has('web.default'));
});

it('serves the pods that came while the Northbound database was away, and mends what it lost', async () => {
	await cluster.addPod('before');
	await cluster.until('the first port', () => cluster.port('before.default') !== undefined);
	await cluster.nb.kill();
	await cluster.addPod('meanwhile');
	await cluster.until('the second lease', () => cluster.sources.ips.objects.has('meanwhile.default'));
	await cluster.nb.restart();
	await cluster.until('the second port', () => cluster.port('meanwhile.default') !== undefined);
	await cluster.until('the database is as compiled', () => cluster.differences().length === 0);
});

it('serves the pods that came while the API was away', async () => {
	await cluster.api.restart();
	await answered(() => cluster.addPod('after'));
	await cluster.until('all annotations', () => ['before', 'meanwhile', 'after'].every(isAnnotated));
	await cluster.until('the database is as compiled', () => cluster.differences().length === 0);
});

it('lets a second controller take over when the first ends, without a write', async () => {
	await cluster.until('nothing is left to do', () => cluster.isWell());
	const writes = cluster.countWrites();
	await controller.kill('SIGTERM');
	await cluster.startController('b');
	await cluster.addPod('next');
	await cluster.until('a pod is served', () => isAnnotated('next') && cluster.port('next.default') !== undefined);
	const switchRow = cluster.rows('Logical_Switch').find((row) => row.name === 'ovn-default');
	const due = [`Logical_Switch_Port ${cluster.port('next.default')?._uuid}`, `Logical_Switch ${switchRow?._uuid}`, 'Subnet ovn-default'];
	expect(writes.stop().filter((write) => !due.includes(write) && !/^(IP|Pod) .*next/.test(write))).toEqual([]);
});

function isAnnotated(pod: string): boolean {
	return cluster.pod(pod)?.metadata.annotations?.[annotations.routed] === 'true';
}

/** The client's idle connections ended with the old server, and each takes one request with it. */
async function answered<T>(request: () => Promise<T>): Promise<T> {
	for (;;) {
		try {
			return await request();
		} catch (error) {
			if (!isCoded(error, 'KUBE_UNAVAILABLE')) throw error;
		}
	}
}
