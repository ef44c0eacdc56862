import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '@tapestry/kube';
import { execute, podPlaces } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, deps, inWorkload, kube, kubeJson, sharedLab, waitReady } from './harness/lab.ts';

/** Machines with KubeVirt's hook sidecars, which libvirt runs, and a pod on another node. */
const namespace = 'hooked';
const node = 'n1';
const sidecar = `hooks.kubevirt.io/hookSidecars: '[{"image": "tapestry.io/hook-sidecar"}]'`;
const machine = (name: string, nic: string, annotations = '') => `---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  running: true
  template:
    metadata: { annotations: { ${annotations} } }
    spec:
      nodeSelector: { kubernetes.io/hostname: ${node} }
      terminationGracePeriodSeconds: 0
      domain: { memory: { guest: 160Mi }, devices: { interfaces: [{ name: default, ${nic} }] } }
      networks: [{ name: default, pod: {} }]
`;
const objects = `apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: Pod
metadata: { name: far, namespace: ${namespace} }
spec:
  nodeSelector: { kubernetes.io/hostname: n2 }
  containers: [{ name: main, image: "nginx:alpine" }]
${machine('lifted', 'binding: { name: tapestry }', sidecar)}${machine(
	'on-node',
	'binding: { name: tapestry }, macAddress: "02:00:00:5e:00:01"',
	`tapestry.io/attachment-mode: tap, ${sidecar}`,
)}${machine('plugin', 'binding: { name: tapestry-tap }')}`;

const mac = '([0-9a-f]{2}:){5}[0-9a-f]{2}';
/** What the domain's interface looks like: the launcher writes with single quotation marks, our sidecar with double ones. */
const machines: readonly (readonly [name: string, nic: RegExp])[] = [
	['lifted', /<interface type='ethernet'><alias name='ua-default'\/><target dev='tap0' managed='no'\/>/],
	['on-node', /<interface type='ethernet'><alias name='ua-default'\/><target dev="vmt[0-9a-f]{11}" managed="no"><\/target><model /],
	[
		'plugin',
		new RegExp(`<interface type="ethernet"><alias name="ua-default"></alias><target dev="vmt[0-9a-f]{11}" .*<mac address="${mac}">`),
	],
];

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady(namespace, 'pod/far');
	await kube('wait', '-n', namespace, '--for=condition=Ready', '--timeout=120s', ...machines.map(([name]) => `vm/${name}`));
	// Until their guests have booted.
	for (const [name] of machines) await inWorkload(namespace, `vm/${name}`, 'true');
});
afterAll(() => deleteYaml(objects));

/** What the launcher of a machine keeps about it. */
async function launcherDirectory(name: string): Promise<string> {
	const { items } = await kubeJson<{ items: Pod[] }>('get', 'pods', '-n', namespace);
	const launcher = items.find(({ metadata }) => metadata.name.startsWith(`virt-launcher-${name}-`));
	if (!launcher) throw new Error(`there is no launcher of machine ${name}`);
	return podPlaces(sharedLab().node(node).kubeletState, launcher).directory;
}

describe.each(machines)('machine %s', (name, nic) => {
	it('has the NIC that the sidecar made of its domain, in a libvirt of its own', async () => {
		expect(readFileSync(join(await launcherDirectory(name), 'libvirt', 'domain.xml'), 'utf8')).toMatch(nic);
	});

	it('has its addresses, and answers pings and echoes a stream from another node, in both families', async () => {
		const lease = await kubeJson<{ spec: { v4IpAddress: string; v6IpAddress: string } }>('get', 'ip', `${name}.${namespace}`);
		for (const address of [lease.spec.v4IpAddress, lease.spec.v6IpAddress]) {
			const script = `until busybox nc -w 5 ${address} 7 </dev/null; do busybox usleep 200000; done; seq 5000 | busybox nc -w 20 ${address} 7 | tail -n 1`;
			expect((await inWorkload(namespace, 'pod/far', 'timeout', '60', 'sh', '-c', script)).stdout).toBe('5000\n');
			expect((await inWorkload(namespace, 'pod/far', 'ping', '-c', '1', '-w', '10', address)).status).toBe(0);
			expect((await inWorkload(namespace, `vm/${name}`, '/sbin/addresses')).stdout).toContain(address);
		}
	});
});

it('leaves no libvirt, QEMU or sidecar behind', async () => {
	const directories = await Promise.all(machines.map(([name]) => launcherDirectory(name)));
	await deleteYaml(objects);
	// With the environment of each, which names the pod that it belongs to.
	const { stdout } = await execute(deps, { argv: ['ps', 'axeww', '-o', 'args'] });
	for (const directory of directories) expect(stdout).not.toContain(directory);
});
