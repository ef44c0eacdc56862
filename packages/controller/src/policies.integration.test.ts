import { findCondition, type KubeObject, type Reflector } from '@tapestry/kube';
import {
	type AdminNetworkPolicy,
	adminNetworkPolicyResource,
	annotations,
	externalIds,
	type NetworkPolicy,
	networkPolicyResource,
	type SecurityGroup,
	securityGroupResource,
} from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkReady } from './status/reporter.ts';
import { TestCluster } from './testing/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
	await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const group = (name: string, spec: SecurityGroup['spec']) =>
	cluster.client.create<SecurityGroup>(securityGroupResource, { metadata: { name }, spec });
const admin = (name: string, priority: number) =>
	cluster.client.create<AdminNetworkPolicy>(adminNetworkPolicyResource, {
		metadata: { name },
		spec: { priority, subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] },
	});
const conditionOf = (source: Reflector<KubeObject>, name: string, type: string) =>
	findCondition((source.objects.get(name) as KubeObject<unknown, { conditions: [] }> | undefined)?.status?.conditions, type);
const aclsBy = (owner: string) =>
	cluster.rows('ACL').filter((row) => (row.external_ids as Readonly<Record<string, string>>)[externalIds.by] === owner);
const isSettled = () => cluster.until('the database is what the objects compile to', () => cluster.differences().length === 0);

describe('policies', () => {
	it('say what is wrong with them and are mended by what comes later', async () => {
		const groups = cluster.sources.securityGroups as unknown as Reflector<KubeObject>;
		await group('web', {
			ingressRules: [
				{ ipVersion: 'ipv4', protocol: 'all', priority: 1, policy: 'allow', remoteType: 'securityGroup', remoteSecurityGroup: 'later' },
			],
		});
		await cluster.until('a condition', () => conditionOf(groups, 'web', 'Validated')?.reason === 'RemoteGroupUnknown');
		expect(conditionOf(groups, 'web', 'Validated')?.message).toContain('there is no SecurityGroup later');
		expect(conditionOf(groups, 'web', 'Selecting')).toMatchObject({ status: 'False', reason: 'NothingSelected' });

		await cluster.addPod('p', { annotations: { [annotations.securityGroups]: 'web, later' } });
		const told = () => findCondition(cluster.pod('p')?.status?.conditions, networkReady);
		// Until the default subnet is there the pod hears of that first.
		await cluster.until('the pod hears of it', () => told()?.reason === 'SecurityGroupUnknown');
		expect(told()).toMatchObject({ status: 'False' });
		await cluster.until('the group has a port', () => conditionOf(groups, 'web', 'Selecting')?.status === 'True');

		await group('later', {});
		await cluster.until('the group is valid', () => conditionOf(groups, 'web', 'Validated')?.status === 'True');
		await cluster.until('the pod is well', () => told()?.status === 'True');
		await cluster.until('its rules', () => aclsBy('SecurityGroup/web').length > 0);
		await isSettled();
	});

	it('give one priority to one AdminNetworkPolicy, and to the next when that is gone', async () => {
		const policies = cluster.sources.adminPolicies as unknown as Reflector<KubeObject>;
		await admin('first', 5);
		await cluster.until('the first is in force', () => aclsBy('AdminNetworkPolicy/first').length > 0);
		await admin('second', 5);
		await admin('third', 100);
		await cluster.until('the second is refused', () => conditionOf(policies, 'second', 'Validated')?.reason === 'PriorityTaken');
		await cluster.until('the third is refused', () => conditionOf(policies, 'third', 'Validated')?.reason === 'PriorityOutOfRange');
		await isSettled();
		expect(aclsBy('AdminNetworkPolicy/second')).toEqual([]);
		await cluster.client.remove(adminNetworkPolicyResource, { name: 'first' });
		await cluster.until('the second is in force', () => aclsBy('AdminNetworkPolicy/second').length > 0);
		await isSettled();
	});

	it('tell by event where there is no status, and keep the rest of the policy', async () => {
		const spec = {
			podSelector: {},
			ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/24', except: ['10.1.0.0/24'] } }, { podSelector: {} }] }],
		};
		await cluster.client.create<NetworkPolicy>(networkPolicyResource, { metadata: { name: 'np', namespace: 'default' }, spec });
		await cluster.until('an event', () => cluster.eventAbout('np', 'ExceptMalformed') !== undefined);
		expect(cluster.eventAbout('np', 'NothingSelected')).toBeUndefined();
		const idle = { podSelector: { matchLabels: { app: 'none' } } };
		await cluster.client.create<NetworkPolicy>(networkPolicyResource, { metadata: { name: 'idle', namespace: 'default' }, spec: idle });
		await cluster.until('an event', () => cluster.eventAbout('idle', 'NothingSelected') !== undefined);
		await cluster.until('the rest of it', () => aclsBy('NetworkPolicy/default/np').length > 0);
		await cluster.client.remove(networkPolicyResource, { name: 'np', namespace: 'default' });
		await cluster.until('nothing of it', () => aclsBy('NetworkPolicy/default/np').length === 0);
		await isSettled();
	});
});
