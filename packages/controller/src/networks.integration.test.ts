import { findCondition, type Namespace, namespaces, nodes, type Pod, pods } from '@tapestry/kube';
import {
	annotations,
	type IpPool,
	ipPoolResource,
	type SecurityGroup,
	type Subnet,
	type SwitchLbRule,
	securityGroupResource,
	subnetResource,
	switchLbRuleResource,
	type Vip,
	vipResource,
	vpcResource,
} from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesOf, until } from '../../base/src/testing/until.ts';
import { TestCluster } from './testing/cluster.ts';

/** What follows from changes of other objects; no webhook stands before the API here. */
let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	for (const [name, address] of [
		['n1', '172.30.0.1'],
		['n2', '172.30.0.2'],
	] as const)
		await cluster.addNode(name, address);
	await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const createSubnet = (name: string, spec: Subnet['spec']) => cluster.client.create<Subnet>(subnetResource, { metadata: { name }, spec });
const patchSubnet = (name: string, spec: Subnet['spec']) =>
	cluster.client.patch(subnetResource, { name }, 'application/merge-patch+json', { spec });
const subnet = (name: string) => cluster.sources.subnets.objects.get(name);
const validity = (name: string) => findCondition(subnet(name)?.status?.conditions as never, 'Validated');
const inSubnet = (name: string) => ({ [annotations.logicalSwitch]: name });
const settled = () => cluster.until('the database is right', () => cluster.differences().length === 0);
const ways = () => cluster.rows('Logical_Router_Policy').flatMap((row) => (row.priority === 29_100 ? String(row.nexthops) : []));

describe('a block that changes', () => {
	it('is not taken from those who use it, until they are gone', async () => {
		await createSubnet('held', { cidrBlock: '10.60.0.0/24' });
		await cluster.addPod('holder', { annotations: { ...inSubnet('held'), [annotations.ipAddress]: '10.60.0.200' } });
		await cluster.until(
			'a port',
			() => cluster.port('holder.default') !== undefined && subnet('held')?.status?.cidrBlock === '10.60.0.0/24',
		);
		await patchSubnet('held', { cidrBlock: '10.60.0.0/28' });
		await cluster.until('the holder is named', () => String(validity('held')?.message).includes('holder.default (10.60.0.200)'));
		expect(validity('held')).toMatchObject({ status: 'False', reason: 'CidrHeld' });
		expect(subnet('held')?.status?.cidrBlock).toBe('10.60.0.0/24');
		await settled();
		const networks = () => cluster.rows('Logical_Router_Port').find((row) => row.name === 'ovn-cluster-held')?.networks;
		expect(networks()).toEqual(['10.60.0.1/24']);
		await cluster.client.remove(pods, { name: 'holder', namespace: 'default' }, { gracePeriodSeconds: 0 });
		await cluster.until(
			'the block is given',
			() => subnet('held')?.status?.cidrBlock === '10.60.0.0/28' && validity('held')?.status === 'True',
		);
		await cluster.until('the router has it', () => String(networks()) === '10.60.0.1/28');
		await settled();
	});
});

describe('a centralized gateway', () => {
	it('moves when its node is not ready', async () => {
		await createSubnet('central', { cidrBlock: '10.61.0.0/24', gatewayType: 'centralized', gatewayNode: 'n1,n2' });
		const join = (node: string) => String(cluster.sources.ips.objects.get(`node-${node}`)?.spec.v4IpAddress);
		const active = (node: string) =>
			cluster.until(`${node} is the gateway`, () => ways()[0] === join(node) && subnet('central')?.status?.activateGateway === node);
		await active('n1');
		const ready = (status: string) =>
			cluster.client.patch(
				nodes,
				{ name: 'n1' },
				'application/strategic-merge-patch+json',
				{ status: { conditions: [{ type: 'Ready', status }] } },
				{ subresource: 'status' },
			);
		await ready('Unknown');
		await active('n2');
		await ready('True');
		await active('n1');
	});
});

describe('pools and Vips', () => {
	it('are served when their subnet comes, and say why not before', async () => {
		const spec = { subnet: 'later', ips: ['10.62.0.5'] };
		await cluster.client.create<IpPool>(ipPoolResource, { metadata: { name: 'pool' }, spec });
		await cluster.client.create<Vip>(vipResource, { metadata: { name: 'vip' }, spec: { subnet: 'later', v4ip: '10.62.0.6' } });
		const isReady = (of: { readonly status?: { readonly conditions?: unknown } } | undefined) =>
			findCondition(of?.status?.conditions as never, 'Ready');
		const pool = () => isReady(cluster.sources.ipPools.objects.get('pool'));
		const vip = () => isReady(cluster.sources.vips.objects.get('vip'));
		await cluster.until('both are told', () => pool()?.reason === 'SubnetUnknown' && vip()?.reason === 'SubnetUnknown');
		await createSubnet('later', { cidrBlock: '10.62.0.0/24' });
		await cluster.until('both are ready', () => pool()?.status === 'True' && vip()?.status === 'True');
		const lease = () => cluster.sources.ips.objects.get('vip-vip')?.spec;
		await cluster.until('its lease', () => lease() !== undefined);
		expect(lease()?.v4IpAddress).toBe('10.62.0.6');
		const ask = { ...inSubnet('later'), [annotations.ipPool]: 'pool' };
		await cluster.addPod('pooled', { annotations: ask });
		await cluster.until('the pod has it', () => cluster.pod('pooled')?.metadata.annotations?.[annotations.ipAddress] === '10.62.0.5');
		await cluster.client.remove(vipResource, { name: 'vip' });
		await cluster.until('the address is free', () => !cluster.sources.ips.objects.has('vip-vip'));
		await settled();
	});
});

it('puts a status right that somebody else has written', async () => {
	const { subnets, vpcs, ipPools, switchLbRules, securityGroups } = cluster.sources;
	const vip = { vip: '192.0.2.9', namespace: 'default', endpoints: ['10.16.0.9'], ports: [{ name: 'http', port: 80 }] };
	await cluster.client.create<IpPool>(ipPoolResource, { metadata: { name: 'p' }, spec: { subnet: 'ovn-default', ips: ['10.16.9.9'] } });
	await cluster.client.create<SwitchLbRule>(switchLbRuleResource, { metadata: { name: 'r' }, spec: vip });
	await cluster.client.create<SecurityGroup>(securityGroupResource, { metadata: { name: 'g' }, spec: {} });
	const objects = [
		[subnetResource, 'ovn-default', subnets],
		[vpcResource, 'ovn-cluster', vpcs],
		[ipPoolResource, 'p', ipPools],
		[switchLbRuleResource, 'r', switchLbRules],
		[securityGroupResource, 'g', securityGroups],
	] as const;
	for (const [resource, name, source] of objects) {
		const ready = () => findCondition(source.objects.get(name)?.status?.conditions as never, 'Ready');
		await cluster.until(`${name} is ready`, () => ready()?.status === 'True');
		const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'Lied', lastTransitionTime: '2026-01-01T00:00:00Z' }];
		const lied = until('the lie', changesOf(source), () => ready()?.reason === 'Lied');
		await cluster.client.patch(resource, { name }, 'application/merge-patch+json', { status: { conditions } }, { subresource: 'status' });
		await lied;
		await cluster.until(`${name} is ready again`, () => ready()?.status === 'True');
	}
});

it('gives a pod the subnet and the pool that were made just before it, by its subnet or its namespace, whichever watch is quicker', async () => {
	const made: Promise<Pod>[] = [];
	for (let i = 0; i < 8; i++) {
		const name = `together-${i}`;
		const isNamed = i % 2 === 0;
		await cluster.client.create<Subnet>(subnetResource, {
			metadata: { name },
			spec: { cidrBlock: `10.7${i}.0.0/24`, namespaces: isNamed ? [] : [name] },
		});
		const pool = { subnet: name, ips: [`10.7${i}.0.99`], namespaces: [name] };
		await cluster.client.create<Namespace>(namespaces, { metadata: { name, annotations: isNamed ? inSubnet(name) : {} } });
		await cluster.client.create<IpPool>(ipPoolResource, { metadata: { name }, spec: pool });
		made.push(cluster.addPod('p', { namespace: name }));
	}
	await Promise.all(made);
	const leases = () => [...cluster.sources.ips.objects.values()].filter(({ spec }) => spec.podName === 'p');
	await cluster.until('all are served', () => leases().length === 8);
	for (const { spec } of leases()) expect([spec.subnet, spec.v4IpAddress]).toEqual([spec.namespace, `10.7${spec.namespace?.at(-1)}.0.99`]);
});
