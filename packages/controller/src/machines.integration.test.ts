import { findCondition, pods } from '@tapestry/kube';
import {
	annotations,
	type IpLease,
	ipResource,
	labels,
	type NetworkPolicy,
	networkPolicyResource,
	type VirtualMachine,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
	virtualMachineResource,
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

const removePod = (name: string) => cluster.client.remove(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 });
const lease = (name: string) => cluster.sources.ips.objects.get(name)?.spec;
const addressOf = (name: string) => String((cluster.port(name)?.addresses as string[] | undefined)?.[0]);
const chassisOf = (name: string) => (cluster.port(name)?.options as Record<string, string> | undefined)?.['requested-chassis'];

describe('VMs', () => {
	const vm = (name: string): VirtualMachine => ({ metadata: { name, namespace: 'default' }, spec: { running: true, template: {} } });
	const withMac = (name: string, macAddress: string, asked: Record<string, string> = {}): VirtualMachine => {
		const interfaces = [{ name: 'default', macAddress }];
		const template = { metadata: { annotations: asked }, spec: { domain: { devices: { interfaces } } } };
		return { ...vm(name), spec: { running: true, template } };
	};
	const readiness = (name: string) =>
		findCondition(cluster.sources.vms.objects.get(`default/${name}`)?.status?.conditions as never, networkReady);
	const patch = (name: string, spec: object) =>
		cluster.client.patch(virtualMachineResource, { name, namespace: 'default' }, 'application/merge-patch+json', { spec });
	const setMac = (name: string, macAddress: string) =>
		patch(name, { template: { spec: { domain: { devices: { interfaces: [{ name: 'default', macAddress }] } } } } });
	const launcher = (name: string, node: string, pod: string) =>
		cluster.client.create(pods, {
			metadata: {
				name: pod,
				namespace: 'default',
				// As KubeVirt writes them: the label holds a host name, which has room for 63 characters.
				labels: { [labels.kubevirt]: 'virt-launcher', [labels.kubevirtVmName]: name.slice(0, 63) },
				annotations: { [annotations.kubevirtDomain]: name },
			},
			spec: { nodeName: node, containers: [{ name: 'compute', image: 'none' }] },
		} as never);

	it('keep their lease over restarts, which follows them to another node', async () => {
		await cluster.client.create(virtualMachineResource, vm('vm1'));
		await launcher('vm1', 'n1', 'virt-launcher-vm1-a');
		await cluster.until('bound to n1', () => chassisOf('vm1.default') === 'n1');
		const address = addressOf('vm1.default');
		expect(cluster.port('vm1.default')?.dhcpv4_options).toBeDefined();
		await cluster.until(
			'annotations',
			() => cluster.pod('virt-launcher-vm1-a')?.metadata.annotations?.[annotations.virtualMachine] === 'vm1',
		);
		expect(cluster.port('virt-launcher-vm1-a.default')).toBeUndefined();
		await removePod('virt-launcher-vm1-a');
		await launcher('vm1', 'n2', 'virt-launcher-vm1-b');
		await cluster.until(
			'bound to n2',
			() =>
				chassisOf('vm1.default') === 'n2' && cluster.sources.ips.objects.get('vm1.default')?.metadata.labels?.[labels.nodeName] === 'n2',
		);
		expect(addressOf('vm1.default')).toBe(address);
		await removePod('virt-launcher-vm1-b');
		await cluster.client.remove(virtualMachineResource, { name: 'vm1', namespace: 'default' });
		await cluster.until('the lease is gone', () => lease('vm1.default') === undefined && !cluster.port('vm1.default'));
	});

	it('are told what is wrong with what they ask for', async () => {
		const bad = { metadata: { annotations: { [annotations.ipAddress]: '10.99.0.5' } } };
		await cluster.client.create(virtualMachineResource, { ...vm('wrong'), spec: { running: true, template: bad } });
		const condition = () => findCondition(cluster.sources.vms.objects.get('default/wrong')?.status?.conditions as never, networkReady);
		await cluster.until(
			'the VM is refused',
			() => condition()?.status === 'False' && cluster.eventAbout('wrong', 'IpamOutside') !== undefined,
		);
		const good = { spec: { template: { metadata: { annotations: { [annotations.ipAddress]: '10.16.7.5' } } } } };
		await cluster.client.patch(virtualMachineResource, { name: 'wrong', namespace: 'default' }, 'application/merge-patch+json', good);
		await cluster.until('the VM is served', () => condition()?.status === 'True');
		await cluster.hasPort('wrong.default');
	});

	it('and pods of one name get a lease each', async () => {
		await cluster.addPod('twin');
		await cluster.hasPort('twin.default');
		await cluster.client.create(virtualMachineResource, vm('twin'));
		const second = () =>
			[...cluster.sources.ips.objects.values()].find(
				({ metadata }) => metadata.annotations?.[annotations.owner] === 'VirtualMachine/default/twin',
			);
		await cluster.until('the second lease', () => second() !== undefined);
		expect(second()?.metadata.name).toMatch(/^twin\.default\.[0-9a-f]{8}$/);
		expect(second()?.spec.ipAddress).not.toBe(lease('twin.default')?.ipAddress);
		await cluster.hasPort(second()?.metadata.name ?? '');
	});

	it('have the MAC address of their spec, and are told when it cannot be', async () => {
		await cluster.client.create(virtualMachineResource, withMac('mac1', '02:00:00:00:00:AA'));
		await cluster.hasPort('mac1.default');
		expect(addressOf('mac1.default')).toMatch(/^02:00:00:00:00:AA /);
		const wrong: [string, VirtualMachine, string][] = [
			['mac2', withMac('mac2', '02:00:00:00:00:aa'), 'MacTaken'],
			['mac3', withMac('mac3', '02:00:00:00:00'), 'MacMalformed'],
			['mac4', withMac('mac4', '01:00:5e:00:00:01'), 'MacMalformed'],
			['mac5', withMac('mac5', '02:00:00:00:00:ab', { [annotations.macAddress]: '02:00:00:00:00:ac' }), 'MacContradiction'],
		];
		for (const [name, object, reason] of wrong) {
			await cluster.client.create(virtualMachineResource, object);
			await cluster.until(`${name} is refused`, () => readiness(name)?.reason === reason);
			expect(readiness(name)).toMatchObject({ status: 'False', message: expect.stringContaining('(fix: ') });
			expect(lease(`${name}.default`)).toBeUndefined();
		}
		await cluster.client.remove(virtualMachineResource, { name: 'mac1', namespace: 'default' });
		await cluster.until('mac2 is served', () => readiness('mac2')?.status === 'True');
		await setMac('mac3', '02:00:00:00:00:ad');
		await cluster.until('mac3 is served', () => readiness('mac3')?.status === 'True' && lease('mac3.default') !== undefined);
		expect(lease('mac3.default')?.macAddress).toBe('02:00:00:00:00:AD');
	});

	it('that run keep their MAC address until they are stopped', async () => {
		await cluster.client.create(virtualMachineResource, withMac('edited', '02:00:00:00:01:01'));
		await launcher('edited', 'n1', 'virt-launcher-edited');
		await cluster.until('it is placed', () => lease('edited.default')?.nodeName === 'n1');
		const ip = lease('edited.default')?.ipAddress;
		await setMac('edited', '02:00:00:00:01:02');
		await cluster.until('it is told', () => readiness('edited')?.reason === 'LeaseDiffers');
		expect(lease('edited.default')?.macAddress).toBe('02:00:00:00:01:01');
		await removePod('virt-launcher-edited');
		await cluster.until('it has the new one', () => lease('edited.default')?.macAddress === '02:00:00:00:01:02');
		expect(lease('edited.default')?.ipAddress).toBe(ip);
		await cluster.until('it is well', () => readiness('edited')?.status === 'True');
	});

	it('have their addresses again when somebody deletes the lease', async () => {
		await cluster.client.create(virtualMachineResource, vm('robbed'));
		await cluster.hasPort('robbed.default');
		const before = cluster.sources.ips.objects.get('robbed.default') as IpLease;
		await cluster.client.remove(ipResource, { name: 'robbed.default' });
		const now = () => cluster.sources.ips.objects.get('robbed.default');
		await cluster.until('another lease', () => now() !== undefined && now()?.metadata.uid !== before.metadata.uid);
		expect(now()?.spec).toEqual(before.spec);
		await cluster.hasPort('robbed.default');
	});

	it('may have names of 70 characters', async () => {
		const name = 'v'.repeat(70);
		await cluster.client.create(virtualMachineResource, vm(name));
		await launcher(name, 'n1', 'virt-launcher-long');
		await cluster.until('it is placed', () => chassisOf(`${name}.default`) === 'n1');
		await cluster.until(
			'annotations',
			() => cluster.pod('virt-launcher-long')?.metadata.annotations?.[annotations.virtualMachine] === name,
		);
	});

	it('stay selected by their labels while instances and launchers come and go', async () => {
		const podSelector = { matchLabels: { app: 'db' } };
		await cluster.client.create<NetworkPolicy>(networkPolicyResource, {
			metadata: { name: 'db', namespace: 'default' },
			spec: { podSelector },
		});
		await cluster.client.create(virtualMachineResource, vm('plain'));
		const template = { metadata: { labels: { app: 'db' } } };
		const picked = await cluster.client.create<VirtualMachine>(virtualMachineResource, {
			...vm('picked'),
			spec: { running: true, template },
		});
		await cluster.hasPort('plain.default');
		const groupsOf = (name: string) => {
			const [uuid] = [...cluster.replica.table('Logical_Switch_Port')].find(([, row]) => row.name === name) ?? [];
			return cluster.rows('Port_Group').filter(({ ports }) => (ports as readonly unknown[]).includes(uuid));
		};
		const own = () => {
			const others = groupsOf('plain.default').map(({ name }) => name);
			return groupsOf('picked.default').flatMap(({ name }) => (others.includes(name) ? [] : [String(name)]));
		};
		await cluster.until('it is selected', () => own().length > 0);
		const first = own();
		const seen = new Set<string>();
		const stop = cluster.replica.onChange(() => seen.add(own().join()));
		const ownerReferences = [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'picked', uid: picked.metadata.uid ?? '' }];
		const metadata = { name: 'picked', namespace: 'default', labels: { app: 'db' }, ownerReferences };
		for (const [node, pod] of [
			['n1', 'virt-launcher-picked-a'],
			['n2', 'virt-launcher-picked-b'],
		] as const) {
			await cluster.client.create<VirtualMachineInstance>(virtualMachineInstanceResource, { metadata, spec: { domain: {} } });
			await launcher('picked', node, pod);
			await cluster.until(`it is on ${node}`, () => lease('picked.default')?.nodeName === node && chassisOf('picked.default') === node);
			await removePod(pod);
			await cluster.client.remove(virtualMachineInstanceResource, { name: 'picked', namespace: 'default' });
		}
		stop();
		expect([...seen]).toEqual([first.join()]);
		await patch('picked', { template: { metadata: { labels: { app: 'web' } } } });
		await cluster.until('it is not selected any more', () => own().length === 0);
	});

	it('may be instances alone, which lose their lease when they go', async () => {
		const metadata = { name: 'alone', namespace: 'default' };
		await cluster.client.create<VirtualMachineInstance>(virtualMachineInstanceResource, { metadata, spec: { domain: {} } });
		await launcher('alone', 'n1', 'virt-launcher-alone');
		await cluster.until('it is placed', () => lease('alone.default')?.nodeName === 'n1');
		await cluster.hasPort('alone.default');
		expect(cluster.sources.ips.objects.get('alone.default')?.metadata.annotations?.[annotations.owner]).toBe(
			'VirtualMachineInstance/default/alone',
		);
		expect(cluster.port('alone.default')?.dhcpv4_options).toBeDefined();
		await cluster.client.remove(virtualMachineInstanceResource, metadata);
		await cluster.until('the lease is gone', () => lease('alone.default') === undefined && !cluster.port('alone.default'));
	});
});
