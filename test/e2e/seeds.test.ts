import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { applyExample, deleteExample, inWorkload, kube, kubeJson, nbctl, type PodStatus, pings, waitReady } from './harness/lab.ts';
import { settled } from './harness/settled.ts';

/** The blocks of YAML that users brought, to the letter. The examples must hold them unchanged. */
const blocks = {
	'vpc-and-subnet': `kind: Vpc
apiVersion: kubeovn.io/v1
metadata:
  name: test-vpc-1
spec:
  namespaces:
  - ns1
---
kind: Subnet
apiVersion: kubeovn.io/v1
metadata:
  name: net1
spec:
  vpc: test-vpc-1
  cidrBlock: 10.0.1.0/24
  protocol: IPv4
  namespaces:
    - ns1
`,
	'static-address': `apiVersion: v1
kind: Pod
metadata:
  name: static-ip
  annotations:
    ovn.kubernetes.io/ip_address: 10.16.0.15
    ovn.kubernetes.io/mac_address: 00:00:00:53:6B:B6
spec:
  containers:
  - name: static-ip
    image: nginx:alpine
`,
	'address-pool': `ovn.kubernetes.io/ip_pool: 10.16.0.15,10.16.0.16,10.16.0.17
`,
	'vm-fixed-address': `apiVersion: kubevirt.io/v1alpha3
kind: VirtualMachine
metadata:
  name: testvm
spec:
  template:
    metadata:
      annotations:
        ovn.kubernetes.io/ip_address: 10.16.0.15
`,
} as const;

const examples = join(import.meta.dirname, '..', '..', 'examples', 'seeds');

describe('the examples hold the users’ YAML to the letter', () => {
	it.each(Object.entries(blocks))('%s', (name, block) => {
		expect(readFileSync(join(examples, `${name}.yaml`), 'utf8')).toContain(block);
	});
});

describe('static address', () => {
	afterEach(() => deleteExample('seeds/static-address.yaml'));

	it('gives the pod its address and MAC, in the pod, in the API and in OVN', async () => {
		await applyExample('seeds/static-address.yaml');
		await waitReady('default', 'pod/static-ip');
		const pod = await kubeJson<PodStatus>('get', 'pod', 'static-ip');
		expect(pod.status.podIP).toBe('10.16.0.15');
		const { stdout } = await inWorkload('default', 'pod/static-ip', 'ip', '-brief', 'address', 'show', 'eth0');
		expect(stdout).toContain('10.16.0.15/16');
		const link = await inWorkload('default', 'pod/static-ip', 'ip', '-brief', 'link', 'show', 'eth0');
		expect(link.stdout.toLowerCase()).toContain('00:00:00:53:6b:b6');
		const route = await inWorkload('default', 'pod/static-ip', 'ip', 'route');
		expect(route.stdout).toMatch(/^default via 10\.16\.0\.1 dev eth0/m);
		// As the users' `nbctl show`: port name, then MAC and address.
		expect(await nbctl('show', 'ovn-default')).toMatch(/port static-ip\.default\n\s+addresses: \["00:00:00:53:6[Bb]:[Bb]6 10\.16\.0\.15/);
	});
});

describe('address pool', () => {
	afterEach(() => deleteExample('seeds/address-pool.yaml'));

	it('gives each of three pods another address of the list', async () => {
		await applyExample('seeds/address-pool.yaml');
		await waitReady('default', 'pod/pool-0', 'pod/pool-1', 'pod/pool-2');
		const pods = await Promise.all(['pool-0', 'pool-1', 'pool-2'].map((name) => kubeJson<PodStatus>('get', 'pod', name)));
		expect(pods.map(({ status }) => status.podIP).sort()).toEqual(['10.16.0.15', '10.16.0.16', '10.16.0.17']);
		await settled();
		expect(await pings('default', 'pod/pool-0', pods[1]?.status.podIP ?? '')).toBe(true);
	});
});

describe('VPC and subnet', () => {
	afterEach(() => deleteExample('seeds/vpc-and-subnet.yaml'));

	it('puts the namespace’s pods on the tenant’s switch, apart from the default VPC', async () => {
		await applyExample('seeds/vpc-and-subnet.yaml');
		await waitReady('ns1', 'pod/first', 'pod/second');
		const [first, second] = await Promise.all(['first', 'second'].map((name) => kubeJson<PodStatus>('get', 'pod', '-n', 'ns1', name)));
		expect([first?.status.podIP, second?.status.podIP].sort()).toEqual(['10.0.1.2', '10.0.1.3']);
		await settled();
		expect(await pings('ns1', 'pod/first', second?.status.podIP ?? '')).toBe(true);
		expect(await pings('ns1', 'pod/first', '10.16.0.1')).toBe(false);
		expect(await nbctl('show', 'test-vpc-1')).toMatch(/port test-vpc-1-net1\n\s+mac: ".*"\n\s+networks: \["10\.0\.1\.1\/24"\]/);
		await kube('wait', '--for=condition=Ready', '--timeout=60s', 'subnet/net1');
	});
});

describe('virtual machine with a fixed address', () => {
	afterEach(() => deleteExample('seeds/vm-fixed-address.yaml'));

	it('starts a real guest that gets the address from OVN and answers', async () => {
		await applyExample('seeds/vm-fixed-address.yaml');
		await kube('wait', '--for=condition=Ready', '--timeout=120s', 'virtualmachine/testvm');
		const inGuest = await inWorkload('default', 'vm/testvm', 'ip', 'address', 'show', 'eth0');
		expect(inGuest.stdout).toContain('inet 10.16.0.15/16');
		expect(await nbctl('show', 'ovn-default')).toContain('port testvm.default');
		const vmi = await kubeJson<{ status: { phase: string; nodeName: string; interfaces: { ipAddress: string }[] } }>(
			'get',
			'vmi',
			'testvm',
		);
		expect(vmi.status).toMatchObject({ phase: 'Running', interfaces: [{ ipAddress: '10.16.0.15' }] });
		const outside = await inWorkload('default', `node/${vmi.status.nodeName}`, 'ping', '-c', '1', '-w', '60', '10.16.0.15');
		expect(outside.status).toBe(0);
	});
});

describe('`nbctl show` has the shape that users know', () => {
	it('default VPC, default subnet, join network, node ports', async () => {
		const show = await nbctl('show');
		expect(show).toMatch(/switch [-0-9a-f]+ \(ovn-default\)/);
		expect(show).toMatch(/switch [-0-9a-f]+ \(join\)/);
		expect(show).toMatch(/port node-n1\n\s+addresses: \["[0-9A-Fa-f:]{17} 100\.64\.0\.\d+/);
		expect(show).toMatch(/port join-ovn-cluster\n\s+type: router\n\s+router-port: ovn-cluster-join/);
		expect(show).toMatch(/router [-0-9a-f]+ \(ovn-cluster\)/);
		expect(show).toMatch(/port ovn-cluster-join\n\s+mac: ".*"\n\s+networks: \["100\.64\.0\.1\/16"/);
		expect(show).toMatch(/port ovn-cluster-ovn-default\n\s+mac: ".*"\n\s+networks: \["10\.16\.0\.1\/16"/);
	});
});
