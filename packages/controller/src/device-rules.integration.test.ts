import { findCondition, pods } from '@tapestry/kube';
import {
	annotations,
	labels,
	type NetworkPolicy,
	networkPolicyResource,
	parsePortRules,
	subnetResource,
	type VirtualMachine,
	virtualMachineResource,
} from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rulesEnforced } from './status/device-rules.ts';
import { TestCluster } from './testing/cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
	await cluster.startController('a');
});
afterAll(() => cluster[Symbol.asyncDispose]());

const merge = 'application/merge-patch+json';
const machine = (name: string, asked: Record<string, string>): VirtualMachine => ({
	metadata: { name, namespace: 'default' },
	spec: { running: true, template: { metadata: { labels: { app: name }, annotations: asked }, spec: { domain: {} } } },
});
const past = { [annotations.attachmentMode]: 'macvtap', [annotations.macvtapParent]: 'eth1' };
const written = (name: string) => cluster.sources.ips.objects.get(`${name}.default`)?.metadata.annotations?.[annotations.deviceRules];
const rules = (name: string) => parsePortRules(written(name) ?? '');
const told = (name: string) =>
	findCondition(cluster.sources.vms.objects.get(`default/${name}`)?.status?.conditions as never, rulesEnforced);
const aclsBy = (name: string, by: string) => (rules(name)?.acls ?? []).filter((acl) => acl.by === by);

it('carries the rules of a machine past the switch on its lease, and no others', async () => {
	await cluster.client.create(virtualMachineResource, machine('direct', past));
	await cluster.client.create(virtualMachineResource, machine('usual', {}));
	await cluster.until('its rules', () => rules('direct') !== undefined);
	const lease = cluster.sources.ips.objects.get('direct.default')?.spec;
	expect(rules('direct')).toEqual({
		...{ port: 'direct.default', groups: [], acls: [], sets: {} },
		security: [[lease?.macAddress, lease?.v4IpAddress, lease?.v6IpAddress].join(' ')],
	});
	await cluster.until('it is told', () => told('direct')?.status === 'True');
	expect(told('direct')?.message).toMatch(/on eth1, past the switch: Services, NAT, QoS, mirrors .* are not there/);

	const spec = {
		podSelector: { matchLabels: { app: 'direct' } },
		ingress: [{ from: [{ podSelector: { matchLabels: { app: 'usual' } } }] }],
	};
	await cluster.client.create<NetworkPolicy>(networkPolicyResource, { metadata: { name: 'np', namespace: 'default' }, spec });
	await cluster.until('the policy', () => aclsBy('direct', 'NetworkPolicy/default/np').length === 2);
	const peer = () => cluster.sources.ips.objects.get('usual.default')?.spec.v4IpAddress;
	await cluster.until('its peers', () => Object.values(rules('direct')?.sets ?? {}).some((set) => set.includes(peer() ?? '')));
	expect(told('direct')?.status).toBe('True');
	expect(written('usual')).toBeUndefined();
	expect(told('usual')).toBeUndefined();
});

it('says which rules are not enforced there, and takes it back', async () => {
	const acls = [{ direction: 'to-lport', priority: 1000, match: 'ip4.src == 192.0.2.0/24', action: 'reject' }];
	await cluster.client.patch(subnetResource, { name: 'ovn-default' }, merge, { spec: { acls } });
	await cluster.until('it is told', () => told('direct')?.status === 'False');
	expect(told('direct')).toMatchObject({
		reason: 'NotEnforceable',
		message: expect.stringMatching(/Subnet\/ovn-default .*acls.* \(what it rejects is dropped/),
	});
	await cluster.until('an event', () => cluster.eventAbout('direct', 'NotEnforceable') !== undefined);
	await cluster.client.patch(subnetResource, { name: 'ovn-default' }, merge, { spec: { acls: null } });
	await cluster.until('it is well', () => told('direct')?.status === 'True');
});

it("follows the subnet's wish, except where a launcher runs", async () => {
	await cluster.client.create(virtualMachineResource, machine('follows', { [annotations.attachmentMode]: 'macvtap' }));
	await cluster.until('its port', () => cluster.port('follows.default') !== undefined);
	expect(written('follows')).toBeUndefined();
	const wish = (parent: string | null) =>
		cluster.client.patch(subnetResource, { name: 'ovn-default' }, merge, {
			metadata: { annotations: { [annotations.macvtapParent]: parent } },
		});
	await wish('eth2');
	await cluster.until('its rules', () => rules('follows') !== undefined && told('follows')?.message?.includes('eth2') === true);
	const pod = {
		metadata: {
			...{ name: 'virt-launcher-follows', namespace: 'default' },
			labels: { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: 'follows' },
			annotations: { [annotations.kubevirtDomain]: 'follows' },
		},
		spec: { nodeName: 'n1', containers: [{ name: 'compute', image: 'none' }] },
	};
	await cluster.client.create(pods, pod as never);
	await cluster.until('it runs', () => cluster.sources.ips.objects.get('follows.default')?.spec.nodeName === 'n1');
	await wish(null);
	await cluster.until('what it was', () => told('follows')?.message?.includes('its NIC of the node') === true);
	expect(rules('follows')).toBeDefined();
	await cluster.client.remove(pods, { name: 'virt-launcher-follows', namespace: 'default' }, { gracePeriodSeconds: 0 });
	await cluster.until('nothing of it', () => written('follows') === undefined && told('follows') === undefined);
});

it('takes the rules away with the wish', async () => {
	const change = { spec: { template: { metadata: { annotations: { [annotations.macvtapParent]: null } } } } };
	await cluster.client.patch(virtualMachineResource, { name: 'direct', namespace: 'default' }, merge, change);
	await cluster.until('nothing of it', () => written('direct') === undefined && told('direct') === undefined);
});
