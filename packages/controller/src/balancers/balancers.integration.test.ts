import { type EndpointSlice, endpointSlices, findCondition, type Namespace, namespaces, type Service, services } from '@tapestry/kube';
import { type SwitchLbRule, switchLbRuleResource, type Vip, vipResource } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster } from '../testing/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.startController('a');
	await cluster.until('the default subnet', () => cluster.rows('Logical_Switch').some((row) => row.name === 'ovn-default'));
});
afterAll(() => cluster[Symbol.asyncDispose]());

const rule = (name: string, spec: Partial<SwitchLbRule['spec']> = {}): Promise<SwitchLbRule> =>
	cluster.client.create<SwitchLbRule>(switchLbRuleResource, {
		metadata: { name },
		spec: {
			vip: '192.0.2.9',
			namespace: 'default',
			selector: ['app: web'],
			ports: [{ name: 'http', port: 80, targetPort: 8080 }],
			...spec,
		},
	});
const ready = (name: string) => findCondition(cluster.sources.switchLbRules.objects.get(name)?.status?.conditions as never, 'Ready');
const service = (key: string): Service | undefined => cluster.sources.services.objects.get(key);
const vips = () => Object.assign({}, ...cluster.rows('Load_Balancer').map((row) => row.vips)) as Record<string, string>;
const slice = (name: string, address: string): EndpointSlice => ({
	metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
	addressType: 'IPv4',
	endpoints: [{ addresses: [address] }],
	ports: [{ name: 'http', port: 8080 }],
});

it('puts a rule in force by a Service of its own, follows it, and leaves nothing', async () => {
	await rule('db');
	await cluster.until('the Service', () => service('default/slr-db') !== undefined);
	expect(service('default/slr-db')).toMatchObject({
		metadata: { annotations: { 'ovn.kubernetes.io/switch_lb_vip': '192.0.2.9' } },
		spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
	});
	await cluster.client.create<EndpointSlice>(endpointSlices, slice('slr-db', '10.16.0.7'));
	await cluster.until('the balancer', () => vips()['192.0.2.9:80'] === '10.16.0.7:8080');
	await cluster.until('the status', () => ready('db')?.status === 'True');
	expect(cluster.sources.switchLbRules.objects.get('db')?.status).toMatchObject({ ports: '80/TCP', service: 'default/slr-db' });
	const change = { spec: { selector: ['app: other'], vip: '192.0.2.8' } };
	await cluster.client.patch(switchLbRuleResource, { name: 'db' }, 'application/merge-patch+json', change);
	await cluster.until('the other selector', () => service('default/slr-db')?.spec?.selector?.app === 'other');
	await cluster.until('the other address', () => vips()['192.0.2.8:80'] === '10.16.0.7:8080');
	await cluster.client.remove(switchLbRuleResource, { name: 'db' });
	await cluster.until('nothing is left', () => vips()['192.0.2.8:80'] === undefined && service('default/slr-db') === undefined);
});

it('says what is wrong with a rule, and heals when the other object does', async () => {
	await rule('first', { endpoints: ['10.16.0.9'] });
	await rule('second', { endpoints: ['10.16.0.8'], namespace: 'later' });
	await rule('inside', { vip: '10.16.0.77' });
	await cluster.until('all are told', () => ['first', 'second', 'inside'].every((name) => ready(name)));
	expect(ready('second')).toMatchObject({ status: 'False', reason: 'UnknownNamespace' });
	expect(ready('inside')).toMatchObject({ status: 'False', reason: 'VipNotReserved' });
	await cluster.until('an event', () => cluster.eventAbout('inside', 'VipNotReserved') !== undefined);
	await cluster.client.create<Namespace>(namespaces, { metadata: { name: 'later' } });
	await cluster.until('the next trouble', () => ready('second')?.reason === 'DuplicateVip');
	await cluster.client.remove(switchLbRuleResource, { name: 'first' });
	await cluster.until('it is healed', () => ready('second')?.status === 'True' && vips()['192.0.2.9:80'] === '10.16.0.8:8080');
	await cluster.client.create<Vip>(vipResource, {
		metadata: { name: 'kept' },
		spec: { subnet: 'ovn-default', v4ip: '10.16.0.77', type: 'switch_lb_vip' },
	});
	await cluster.until('a Vip keeps the address', () => ready('inside')?.status === 'True');
	for (const name of ['second', 'inside']) await cluster.client.remove(switchLbRuleResource, { name });
	await cluster.until('nothing is left', () => vips()['192.0.2.9:80'] === undefined);
	await cluster.client.remove(vipResource, { name: 'kept' });
});

it('gives Services the outer addresses that they ask for, the older first, and takes them back', async () => {
	const make = (name: string) =>
		cluster.client.create<Service>(services, {
			metadata: { name, namespace: 'default' },
			spec: { type: 'LoadBalancer', loadBalancerIP: '203.0.113.9', ports: [{ name: 'http', port: 80 }] },
		});
	const ingress = (name: string) => service(`default/${name}`)?.status?.loadBalancer?.ingress?.map(({ ip }) => ip);
	await make('a');
	await cluster.client.create<EndpointSlice>(endpointSlices, slice('a', '10.16.0.7'));
	await cluster.until('the balancer', () => vips()['203.0.113.9:80'] === '10.16.0.7:8080');
	await cluster.until('it says so', () => ingress('a')?.join() === '203.0.113.9');
	await make('b');
	const taken = () => findCondition(service('default/b')?.status?.conditions, 'tapestry.io/LoadBalancer');
	await cluster.until('the other is told', () => taken()?.reason === 'AddressTaken');
	await cluster.client.remove(services, { name: 'a', namespace: 'default' });
	await cluster.until('the other has it', () => ingress('b')?.[0] === '203.0.113.9');
	await cluster.client.patch(services, { name: 'b', namespace: 'default' }, 'application/merge-patch+json', {
		spec: { loadBalancerIP: '' },
	});
	await cluster.until('it is taken back', () => ingress('b') === undefined && vips()['203.0.113.9:80'] === undefined);
	await cluster.until('the database is what the objects compile to', () => cluster.differences().length === 0);
});
