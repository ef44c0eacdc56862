import type { PortPath } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, digest, source } from '../../packages/agent/src/testing/stream.ts';
import { applyYaml, deleteYaml, inWorkload, kube, kubeJson, pings, sharedLab, tapestry, waitReady } from './harness/lab.ts';
import { eventResource, type LabEvent, LabWatch } from './harness/watch.ts';

/** Machines that ask for their way to the network in each of the ways there are, by their objects alone, and a pod on another node. */
const machine = (name: string, nic: string, annotation = '', node = 'n1') => `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: ${name}, namespace: modes }
spec:
  running: true
  template:
    metadata: { annotations: { ${annotation} } }
    spec:
      nodeSelector: { kubernetes.io/hostname: ${node} }
      domain: { memory: { guest: 160Mi }, devices: { interfaces: [{ name: default, ${nic} }] } }
      networks: [{ name: default, pod: {} }]
---
`;
const asks = (mode: string): string => `tapestry.io/attachment-mode: ${mode}`;
const objects = `apiVersion: v1
kind: Namespace
metadata: { name: modes }
---
apiVersion: v1
kind: Pod
metadata: { name: far, namespace: modes }
spec:
  nodeSelector: { kubernetes.io/hostname: n2 }
  containers: [{ name: main, image: "nginx:alpine" }]
---
${machine('bridge', 'bridge: {}')}${machine('masquerade', 'masquerade: {}, ports: [{ port: 7 }]')}${machine(
	'tcredirect',
	'binding: { name: tapestry }',
	asks('tcredirect'),
)}${machine('tap', 'binding: { name: tapestry }', asks('tap'))}apiVersion: kubeovn.io/v1
kind: Subnet
metadata: { name: modes-tap, annotations: { ${asks('tap')} } }
spec: { cidrBlock: "10.28.0.0/24,fd00:10:28::/112" }
---
${machine('by-subnet', 'binding: { name: tapestry }', 'ovn.kubernetes.io/logical_switch: modes-tap')}${machine(
	'vhost-user',
	'binding: { name: vhost-user }',
	'',
	'n3',
)}`;
const refused = `${machine('two', 'bridge: {}, masquerade: {}')}${machine('odd', 'binding: { name: tapestry }', asks('fast'))}`;
const lacking = machine('lacking', 'binding: { name: vhost-user }');

const modes = ['bridge', 'masquerade', 'tcredirect', 'tap', 'by-subnet', 'vhost-user'] as const;

beforeAll(async () => {
	await applyYaml(objects + refused + lacking);
	await waitReady('modes', 'pod/far');
	await kube('wait', '-n', 'modes', '--for=condition=Ready', '--timeout=120s', ...modes.map((name) => `vm/${name}`));
	// Ready means that the machine runs; commands are carried out once its network is there.
	for (const name of modes) await tapestry(['lab', 'exec', '--name', sharedLab().id, '-n', 'modes', `vm/${name}`, '--', 'true']);
});
afterAll(() => deleteYaml(objects + refused + lacking));

async function addressesOf(name: string): Promise<readonly string[]> {
	const lease = await kubeJson<{ spec: { v4IpAddress: string; v6IpAddress: string } }>('get', 'ip', `${name}.modes`);
	return [lease.spec.v4IpAddress, lease.spec.v6IpAddress];
}

describe.each(modes)('a machine by %s', (name) => {
	it('echoes a stream to another node under the addresses of its lease, in both families', async () => {
		for (const address of await addressesOf(name)) {
			const script = `until busybox nc -w 5 ${address} 7 </dev/null; do busybox usleep 200000; done; ${source} | busybox nc -w 20 ${address} 7 | head -c ${bytes} | md5sum`;
			expect((await inWorkload('modes', 'pod/far', 'timeout', '60', 'sh', '-c', script)).stdout).toContain(digest);
		}
	});

	it('says so in its status', async () => {
		const vmi = await kubeJson<{ status: { interfaces: { ipAddresses: string[] }[] } }>('get', 'vmi', '-n', 'modes', name);
		expect(vmi.status.interfaces[0]?.ipAddresses).toEqual(await addressesOf(name));
	});
});

it.each([
	['bridge', ['tap0', 'k6t-eth0', 'eth0-nic']],
	['masquerade', ['tap0', 'k6t-eth0', 'eth0 (NAT)']],
	['vhost-user', [expect.stringMatching(/\/vhu[0-9a-f]+\/socket$/)]],
])('shows the path of machine %s', async (name, devices) => {
	const { status, stdout } = await tapestry(['show', 'port', '--name', sharedLab().id, '-n', 'modes', '--json', `vm/${name}`]);
	const path = JSON.parse(stdout) as PortPath;
	expect(path.faults).toEqual([]);
	expect(status).toBe(0);
	expect(path.hops.find(({ kind }) => kind === 'launcher')).toMatchObject({ name, facts: { devices } });
});

it('lets in only the ports that masquerade names', async () => {
	const [address] = await addressesOf('masquerade');
	expect((await inWorkload('modes', 'pod/far', 'curl', '-s', '--max-time', '10', `http://${address}/`)).status).not.toBe(0);
	const [other] = await addressesOf('bridge');
	expect((await inWorkload('modes', 'pod/far', 'curl', '-s', '--max-time', '10', `http://${other}/`)).stdout).toBe('vm bridge\n');
});

it('puts the launchers of mode tap into the network of their node, and no other', async () => {
	// What a subnet says later is for launchers that come later.
	await kube('annotate', '--overwrite', 'subnet', 'modes-tap', 'tapestry.io/attachment-mode=lift');
	const pods = await kubeJson<{ items: { metadata: { name: string }; spec: { hostNetwork?: boolean } }[] }>('get', 'pods', '-n', 'modes');
	const onNode = pods.items.filter(({ spec }) => spec.hostNetwork).map(({ metadata }) => metadata.name);
	expect(onNode.map((name) => name.replace(/^virt-launcher-(.*)-\w+$/, '$1')).sort()).toEqual(['by-subnet', 'tap']);
	for (const name of ['tap', 'by-subnet']) expect(await pings('modes', 'pod/far', (await addressesOf(name))[0] ?? '')).toBe(true);
	expect(await kube('get', 'subnet', 'modes-tap', '-o', 'jsonpath={.status.conditions[?(@.status=="False")].message}')).toBe('');
});

it.each([
	['two', /several bindings: bridge, masquerade/],
	['odd', /asks for "fast", which is no attachment mode .*use one of lift, /],
])('says what is wrong with machine %s', async (name, words) => {
	await kube('wait', '-n', 'modes', '--for=condition=Failure', '--timeout=30s', `vm/${name}`);
	expect(await kube('get', 'vm', '-n', 'modes', name, '-o', 'jsonpath={.status.conditions[?(@.type=="Failure")].message}')).toMatch(words);
});

it('says on the launcher what its node lacks, and what would work there', async () => {
	await using watch = new LabWatch();
	const events = await watch.follow<LabEvent>(eventResource, 'modes');
	const about = ({ involvedObject, message }: LabEvent) =>
		involvedObject.name.startsWith('virt-launcher-lacking-') && message.includes('DPDK');
	const event = await watch.until('an event of the launcher', () => [...events.values()].find(about));
	expect(event.message).toMatch(/Open vSwitch runs without DPDK .*use one of lift, tap, bridge, /);
});
