import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createReflector, findCondition, type KubeObject, type Namespace, namespaces, pods } from '@tapestry/kube';
import {
	annotations,
	type IpLease,
	ipResource,
	labels,
	nbSchema,
	type Subnet,
	subnetResource,
	type Vpc,
	vlanKind,
	vpcResource,
} from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesOf, until } from '../../base/src/testing/until.ts';
import { networkReady } from './status/reporter.ts';
import { TestCluster } from './testing/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
	await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const createSubnet = (name: string, spec: Subnet['spec']) => cluster.client.create<Subnet>(subnetResource, { metadata: { name }, spec });
const createVpc = (name: string, spec: Vpc['spec'] = {}) => cluster.client.create<Vpc>(vpcResource, { metadata: { name }, spec });
const removePod = (name: string) => cluster.client.remove(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 });
const lease = (name: string) => cluster.sources.ips.objects.get(name)?.spec;
const addressOf = (name: string) => String((cluster.port(name)?.addresses as string[] | undefined)?.[0]);
const readiness = (pod: string) => findCondition(cluster.pod(pod)?.status?.conditions, networkReady);
const validity = (subnet: string) => findCondition(cluster.sources.subnets.objects.get(subnet)?.status?.conditions as never, 'Validated');

async function refused(pod: string, reason: string): Promise<string> {
	// It may hear first that the controller has not seen the subnet yet.
	await cluster.until(
		() => `pod ${pod} to be refused for ${reason}; it is told ${JSON.stringify(readiness(pod))}`,
		() => readiness(pod)?.status === 'False' && readiness(pod)?.reason === reason,
	);
	await cluster.until(`an event about ${pod}`, () => cluster.eventAbout(pod, reason) !== undefined);
	expect(cluster.eventAbout(pod, reason)).toMatchObject({ type: 'Warning', message: readiness(pod)?.message });
	expect(lease(`${pod}.default`)).toBeUndefined();
	return readiness(pod)?.message ?? '';
}

async function healed(pod: string): Promise<void> {
	await cluster.until(`pod ${pod} is served`, () => readiness(pod)?.status === 'True');
	await cluster.hasPort(`${pod}.default`);
}

describe('addresses that users ask for', () => {
	it('are given, excluded ones too', async () => {
		await createSubnet('fixed', { cidrBlock: '10.20.0.0/24', excludeIps: ['10.20.0.10..10.20.0.20'] });
		const asked = {
			[annotations.logicalSwitch]: 'fixed',
			[annotations.ipAddress]: '10.20.0.15',
			[annotations.macAddress]: '00:00:00:53:6B:B6',
		};
		await cluster.addPod('static', { annotations: asked });
		await cluster.hasPort('static.default');
		expect(addressOf('static.default')).toBe('00:00:00:53:6B:B6 10.20.0.15');
		const pool = { [annotations.logicalSwitch]: 'fixed', [annotations.ipPool]: '10.20.0.15,10.20.0.16,10.20.0.17' };
		await cluster.addPod('pooled', { annotations: pool });
		await cluster.hasPort('pooled.default');
		expect(lease('pooled.default')?.ipAddress).toBe('10.20.0.16');
	});

	it('are refused when taken, and given when the holder goes', async () => {
		const asked = { [annotations.ipAddress]: '10.16.5.5' };
		await cluster.addPod('holder', { annotations: asked });
		await cluster.hasPort('holder.default');
		await cluster.addPod('second', { annotations: asked });
		expect(await refused('second', 'IpamTaken')).toMatch(/10\.16\.5\.5 is taken.*holder\.default.*fix/);
		await removePod('holder');
		await healed('second');
		expect(addressOf('second.default')).toContain('10.16.5.5');
	});

	it('are refused outside of the subnet, and when malformed, until the user corrects them', async () => {
		await cluster.addPod('outside', { annotations: { [annotations.ipAddress]: '10.99.0.5' } });
		expect(await refused('outside', 'IpamOutside')).toMatch(/not in 10\.16\.0\.0\/16/);
		await cluster.addPod('malformed', { annotations: { [annotations.ipAddress]: '10.16.0' } });
		expect(await refused('malformed', 'AnnotationMalformed')).toMatch(/ip_address/);
		for (const [name, address] of [
			['outside', '10.16.6.5'],
			['malformed', '10.16.6.6'],
		] as const) {
			const patch = { metadata: { annotations: { [annotations.ipAddress]: address } } };
			await cluster.client.patch(pods, { name, namespace: 'default' }, 'application/merge-patch+json', patch);
			await healed(name);
			expect(addressOf(`${name}.default`)).toContain(address);
		}
	});

	it('are refused when the MAC address is taken in the subnet', async () => {
		const asked = { [annotations.macAddress]: '00:00:00:00:00:11' };
		await cluster.addPod('mac1', { annotations: asked });
		await cluster.hasPort('mac1.default');
		await cluster.addPod('mac2', { annotations: asked });
		await refused('mac2', 'MacTaken');
		await removePod('mac1');
		await healed('mac2');
	});
});

describe('subnets and VPCs', () => {
	it('that are full serve the next pod when one goes', async () => {
		await createSubnet('tiny', { cidrBlock: '10.21.0.0/30' });
		const asked = { [annotations.logicalSwitch]: 'tiny' };
		await cluster.addPod('fits', { annotations: asked });
		await cluster.hasPort('fits.default');
		await cluster.addPod('waits', { annotations: asked });
		expect(await refused('waits', 'IpamFull')).toMatch(/10\.21\.0\.0\/30 has no free address/);
		await removePod('fits');
		await healed('waits');
	});

	it('that do not exist are waited for', async () => {
		await cluster.addPod('early', { annotations: { [annotations.logicalSwitch]: 'later' } });
		expect(await refused('early', 'SubnetUnknown')).toMatch(/there is no Subnet later/);
		await createSubnet('later', { vpc: 'later-vpc', cidrBlock: '10.22.0.0/24' });
		await cluster.until('the subnet is refused', () => validity('later')?.reason === 'VpcUnknown');
		expect(validity('later')?.status).toBe('False');
		await createVpc('later-vpc');
		await healed('early');
		await cluster.until('the subnet is valid', () => validity('later')?.status === 'True');
	});

	it('that overlap another of their VPC are refused until that one goes', async () => {
		await createSubnet('first', { cidrBlock: '10.23.0.0/16' });
		await cluster.until('the first is valid', () => validity('first')?.status === 'True');
		await createSubnet('zoverlap', { cidrBlock: '10.23.4.0/24' });
		await cluster.until('the second is refused', () => validity('zoverlap')?.reason === 'CidrOverlap');
		expect(validity('zoverlap')).toMatchObject({
			status: 'False',
			message: expect.stringMatching(/overlaps 10\.23\.0\.0\/16 of subnet first/),
		});
		await cluster.until('an event', () => cluster.eventAbout('zoverlap', 'CidrOverlap') !== undefined);
		expect(cluster.rows('Logical_Switch').some((row) => row.name === 'zoverlap')).toBe(false);
		await cluster.client.remove(subnetResource, { name: 'first' });
		await cluster.until('the second is in use', () => cluster.rows('Logical_Switch').some((row) => row.name === 'zoverlap'));
	});

	it('of two VPCs may have one block, and their pods one address', async () => {
		for (const number of [1, 2]) {
			await cluster.client.create<Namespace>(namespaces, { metadata: { name: `ns${number}` } });
			await createVpc(`test-vpc-${number}`, { namespaces: [`ns${number}`] });
			await createSubnet(`net${number}`, {
				vpc: `test-vpc-${number}`,
				cidrBlock: '10.0.1.0/24',
				protocol: 'IPv4',
				namespaces: [`ns${number}`],
			});
		}
		await cluster.until('both are valid', () => [1, 2].every((number) => validity(`net${number}`)?.status === 'True'));
		await cluster.addPod('web', { namespace: 'ns1' });
		await cluster.addPod('web', { namespace: 'ns2' });
		await cluster.hasPort('web.ns1');
		await cluster.hasPort('web.ns2');
		expect(lease('web.ns1')).toMatchObject({ subnet: 'net1', ipAddress: '10.0.1.2' });
		expect(lease('web.ns2')).toMatchObject({ subnet: 'net2', ipAddress: '10.0.1.2' });
		const named = { [annotations.logicalSwitch]: 'net1' };
		await cluster.addPod('stranger', { annotations: named });
		expect(await refused('stranger', 'SubnetForbidden')).toMatch(/for namespaces ns1/);
	});

	it('get defaults, conditions and numbers', async () => {
		await createSubnet('plain', { cidrBlock: '10.24.0.0/24' });
		await cluster.until('the status', () => cluster.sources.subnets.objects.get('plain')?.status?.v4availableIPs === 253);
		const subnet = cluster.sources.subnets.objects.get('plain');
		expect(subnet?.spec).toMatchObject({ gateway: '10.24.0.1', vpc: 'ovn-cluster', protocol: 'IPv4', excludeIps: ['10.24.0.1'] });
		await cluster.until(
			'the VPC lists it',
			() => cluster.sources.vpcs.objects.get('ovn-cluster')?.status?.subnets?.includes('plain') ?? false,
		);
	});
});

describe('strangers', () => {
	it('that make a second lease for an address lose it to the port that is there', async () => {
		await cluster.addPod('owner');
		await cluster.hasPort('owner.default');
		const original = cluster.sources.ips.objects.get('owner.default') as IpLease;
		const rival = await cluster.addPod('rival', { node: '' });
		const made = Promise.withResolvers<void>();
		const stop = cluster.sources.ips.onChange(({ key }) => key === 'rival.default' && made.resolve());
		// What a second leader would write that has not seen the first lease.
		await cluster.client.create<IpLease>(ipResource, {
			metadata: {
				name: 'rival.default',
				labels: { ...original.metadata.labels, [labels.ownerUid]: rival.metadata.uid ?? '' },
				annotations: { [annotations.owner]: 'Pod/default/rival' },
			},
			spec: { ...original.spec, podName: 'rival' },
		});
		await made.promise;
		stop();
		await cluster.until('the second lease is gone', () => !cluster.sources.ips.objects.has('rival.default'));
		expect(lease('owner.default')?.ipAddress).toBe(original.spec.ipAddress);
		expect(cluster.port('rival.default')).toBeUndefined();
	});

	it('that have a row of the name we want are told of, and left alone', async () => {
		await cluster.session.transact(nbSchema.name, [
			{ op: 'insert', table: 'Logical_Switch_Port', row: { name: 'taken.default' }, 'uuid-name': 'p' },
			{ op: 'insert', table: 'Logical_Switch', row: { name: 'theirs', ports: ['named-uuid', 'p'] } },
		]);
		await cluster.addPod('taken');
		await cluster.until('the pod is told', () => readiness('taken')?.reason === 'RowNameTaken');
		expect(readiness('taken')?.status).toBe('False');
		const theirs = cluster.rows('Logical_Switch').find((row) => row.name === 'theirs');
		await cluster.session.transact(nbSchema.name, [
			{ op: 'delete', table: 'Logical_Switch', where: [['_uuid', '==', ['uuid', String(theirs?._uuid)]]] },
		]);
		await healed('taken');
	});

	it('that have the name of a router port keep a subnet from being ready', async () => {
		await cluster.session.transact(nbSchema.name, [
			{
				op: 'insert',
				table: 'Logical_Router_Port',
				row: { name: 'ovn-cluster-blocked', mac: '02:00:00:00:00:01', networks: '10.9.9.1/24' },
				'uuid-name': 'p',
			},
			{ op: 'insert', table: 'Logical_Router', row: { name: 'theirs', ports: ['named-uuid', 'p'] } },
		]);
		await createSubnet('blocked', { cidrBlock: '10.25.0.0/24' });
		const ready = () => findCondition(cluster.sources.subnets.objects.get('blocked')?.status?.conditions as never, 'Ready');
		await cluster.until('the subnet says so', () => ready()?.reason === 'RowNameTaken');
		expect(ready()).toMatchObject({ status: 'False', message: expect.stringContaining('Logical_Router_Port') });
		const theirs = cluster.rows('Logical_Router').find((row) => row.name === 'theirs');
		await cluster.session.transact(nbSchema.name, [
			{ op: 'delete', table: 'Logical_Router', where: [['_uuid', '==', ['uuid', String(theirs?._uuid)]]] },
		]);
		await cluster.until('the subnet is ready', () => ready()?.status === 'True');
	});

	it('that delete our rows see them come back', async () => {
		await cluster.addPod('stays');
		await cluster.hasPort('stays.default');
		const before = cluster.port('stays.default')?._uuid;
		const own = cluster.rows('Logical_Switch').find((row) => row.name === 'ovn-default');
		await cluster.session.transact(nbSchema.name, [
			{ op: 'delete', table: 'Logical_Switch', where: [['_uuid', '==', ['uuid', String(own?._uuid)]]] },
		]);
		await cluster.until(
			'the port is there again',
			() => cluster.port('stays.default') !== undefined && cluster.port('stays.default')?._uuid !== before,
		);
	});
});

it('says on objects of kinds that are not built that they have no effect', async () => {
	const { resource } = vlanKind;
	await using vlans = createReflector<KubeObject<unknown, { conditions?: [] }>>(
		{ clock: systemClock, random: Math.random, log: silentLogger, client: cluster.client },
		{ resource },
	);
	await cluster.client.create(resource, { metadata: { name: 'vlan1' }, spec: { id: 10, provider: 'p' } } as never);
	const built = () => findCondition(vlans.objects.get('vlan1')?.status?.conditions, 'Built');
	await until('the condition Built', changesOf(vlans), () => built() !== undefined);
	expect(built()).toMatchObject({ status: 'False', reason: 'NotBuilt' });
});
