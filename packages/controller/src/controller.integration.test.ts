import { pods } from '@tapestry/kube';
import { annotations } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster } from './testing/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1', 'fd00:172:30::1');
	await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

it('gives a pod a lease, a port and the annotations that users read, and takes them back', async () => {
	await cluster.addPod('web');
	await cluster.until('the pod has its annotations', () => cluster.pod('web')?.metadata.annotations?.[annotations.routed] === 'true');
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
