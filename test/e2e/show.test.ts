import type { Hop, PortPath } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, guestHasAddresses, inWorkload, kube, sharedLab, tapestry, waitReady } from './harness/lab.ts';
import { namespace, pod, vm } from './matrix/objects.ts';

const objects = [namespace('show'), pod('pod', { namespace: 'show', node: 'n1' }), vm('vm', { namespace: 'show' })].join('');

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady('show', 'pod/pod');
	await kube('wait', '-n', 'show', '--for=condition=Ready', '--timeout=90s', 'vm/vm');
	// Ready means that the machine runs; its guest has its network a little later.
	await guestHasAddresses('show', 'vm');
});
afterAll(() => deleteYaml(objects));

function show(...args: readonly string[]) {
	return tapestry(['show', 'port', '--name', sharedLab().id, '-n', 'show', ...args]);
}

async function showJson(workload: string) {
	const { status, stdout } = await show('--json', workload);
	const path = JSON.parse(stdout) as PortPath;
	return { status, path, facts: (kind: string): Hop['facts'] | undefined => path.hops.find((hop) => hop.kind === kind)?.facts };
}

describe('show port', () => {
	it('follows a virtual machine from its guest to its VPC', async () => {
		const { status, path, facts } = await showJson('vm/vm');
		expect(path.faults).toEqual([]);
		expect(status).toBe(0);
		expect(path.hops.map(({ kind }) => kind)).toEqual(['guest', 'virtio', 'tap', 'br-int port', 'logical port', 'subnet', 'VPC']);
		const lease = JSON.parse(await kube('get', 'ip', 'vm.show', '-o', 'json')) as { spec: { v4IpAddress: string; macAddress: string } };
		expect(facts('guest')).toMatchObject({ mac: lease.spec.macAddress.toLowerCase(), mtu: 1442, up: true });
		expect(facts('guest')?.addresses).toContain(`${lease.spec.v4IpAddress}/16`);
		expect(facts('virtio')).toMatchObject({ mtu: 1442, queues: 1 });
		expect(facts('tap')).toMatchObject({ carrier: true, queues: 1, heldBy: expect.stringMatching(/^qemu.*, pid \d+, fd \d+$/) });
		expect(facts('br-int port')).toMatchObject({ ifaceId: 'vm.show', ovnInstalled: true, ofport: expect.any(Number) });
		expect(facts('logical port')).toMatchObject({ up: true, boundTo: path.node, requestedChassis: path.node });
		expect(facts('logical port')?.dhcpv4).toMatchObject({ mtu: '1442' });
		expect(path.hops.at(-1)).toMatchObject({ kind: 'VPC', name: 'ovn-cluster' });
	});

	it('follows a pod, whose port has no DHCP', async () => {
		const { path, facts } = await showJson('pod/pod');
		expect(path.faults).toEqual([]);
		expect(path.hops.map(({ kind }) => kind)).toEqual(['pod', 'veth', 'br-int port', 'logical port', 'subnet', 'VPC']);
		expect(facts('veth')).toMatchObject({ carrier: true, mtu: 1442 });
		expect(facts('logical port')?.dhcpv4).toBeUndefined();
	});

	it('names the hop that does not fit, and ends with 1', async () => {
		const { path } = await showJson('pod/pod');
		const device = path.hops.find(({ kind }) => kind === 'veth')?.name ?? '';
		const setMtu = (mtu: string) => inWorkload('show', `node/${path.node}`, 'ip', 'link', 'set', device, 'mtu', mtu);
		await setMtu('1300');
		const { status, stdout } = await show('pod/pod');
		await setMtu('1442');
		expect(status).toBe(1);
		expect(stdout).toMatch(/FAULT the MTU is not the same all along: pod 1442, veth 1300, /);
	});

	it('is text for people', async () => {
		const { status, stdout } = await show('vm/vm');
		expect(status).toBe(0);
		const heads = stdout.split('\n').filter((line) => /^(<-| {2}) \S/.test(line));
		// libvirt asks for the device by the name of its variant.
		expect(heads.map((line) => line.replace(/tap\w+$/, 'TAP').replace(/(virtio-net-pci)\S+$/, '$1'))).toEqual([
			'   guest eth0',
			'<- virtio virtio-net-pci',
			'<- tap TAP',
			'<- br-int port TAP',
			'<- logical port vm.show',
			'<- subnet ovn-default',
			'<- VPC ovn-cluster',
		]);
	});

	it.each([
		['pod/nothere', /there is no pod nothere/],
		['vm/nothere', /does not run/],
		['node/n1', /has no workload/],
		['thing', /names no workload/],
	])('%s is refused with words', async (workload, message) => {
		const { status, stderr } = await show(workload);
		expect(status).toBe(1);
		expect(stderr).toMatch(message);
	});
});
