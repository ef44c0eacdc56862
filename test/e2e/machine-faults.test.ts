import { readFileSync } from 'node:fs';
import { type Pod, pods } from '@tapestry/kube';
import { enterNode, type LabNode, labNodes, type PortPath, programPid, run, startAgent, startKubelet } from '@tapestry/lab';
import { untilLink } from '@tapestry/linux/testing';
import { type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, deps, inWorkload, kube, nbctl, sharedLab, tapestry, waitReady } from './harness/lab.ts';
import { LabWatch } from './harness/watch.ts';

const namespace = 'faults';
const address = '10.16.77.7';
const lost = labNodes(3)[2] as LabNode;
const objects = `apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: Pod
metadata: { name: client, namespace: ${namespace} }
spec:
  nodeSelector: { kubernetes.io/hostname: n1 }
  containers: [{ name: main, image: "nginx:alpine" }]
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: vm, namespace: ${namespace} }
spec:
  runStrategy: Always
  template:
    metadata: { annotations: { ovn.kubernetes.io/ip_address: ${address} } }
    spec:
      nodeSelector: { kubernetes.io/hostname: ${lost.name} }
      terminationGracePeriodSeconds: 0
      domain:
        cpu: { cores: 2 }
        memory: { guest: 192Mi }
        devices:
          networkInterfaceMultiqueue: true
          interfaces: [{ name: default, binding: { name: tapestry } }]
      networks: [{ name: default, pod: {} }]
`;

const watch = new LabWatch();
let instances: ReadonlyMap<string, VirtualMachineInstance>;
let launchers: ReadonlyMap<string, Pod>;
let identity: string;

beforeAll(async () => {
	instances = await watch.follow(virtualMachineInstanceResource, namespace);
	launchers = await watch.follow(pods, namespace);
	await applyYaml(objects);
	await waitReady(namespace, 'pod/client');
	await running(undefined);
	expect(await answers()).toBe(true);
	identity = await port();
}, 180_000);
afterAll(async () => {
	await deleteYaml(objects);
	await watch[Symbol.asyncDispose]();
});

const instance = () => instances.get(`${namespace}/vm`);
/** Another instance than `before` runs. */
const running = (before: string | undefined) =>
	watch.until('the machine runs', () => instance()?.metadata.uid !== before && instance()?.status?.phase === 'Running' && instance());
/** Whether the guest answers one of the pings of a minute. */
const answers = async () => (await inWorkload(namespace, 'pod/client', 'ping', '-c', '1', '-w', '60', address)).status === 0;
/** The machine's logical port, with its addresses: whoever refers to it goes on doing so. */
const port = () => nbctl('--columns=_uuid,addresses,port_security', 'list', 'Logical_Switch_Port', `vm.${namespace}`);
const chassisOf = async () => (await nbctl('--bare', '--columns=options', 'list', 'Logical_Switch_Port', `vm.${namespace}`)).trim();

async function path(): Promise<PortPath> {
	const { stdout } = await tapestry(['show', 'port', '--name', sharedLab().id, '-n', namespace, '--json', 'vm/vm']);
	return JSON.parse(stdout) as PortPath;
}

/** The tap on the machine's node, and who holds it. */
async function tap(): Promise<{ readonly device: string; readonly vmm: number }> {
	const hop = (await path()).hops.find(({ kind }) => kind === 'tap');
	return { device: String(hop?.name), vmm: Number(/pid (\d+)/.exec(String(hop?.facts.heldBy))?.[1]) };
}

const onNode = (node: LabNode, ...command: readonly string[]) => run(deps, [...enterNode(sharedLab(), node.name), ...command]);
const vsctl = (node: LabNode, ...args: readonly string[]) =>
	run(deps, ['ovs-vsctl', `--db=unix:${sharedLab().node(node.name).ovsdb}`, ...args]);

describe('a machine is reached again, as itself', () => {
	it('when its port was taken out of Open vSwitch by hand', async () => {
		const before = instance()?.metadata.uid;
		await vsctl(lost, 'del-port', (await tap()).device);
		expect(await answers()).toBe(true);
		expect(instance()?.metadata.uid).toBe(before);
	});

	it('when its tap was deleted by hand and it was started anew, its VMM killed', async () => {
		const before = instance()?.metadata.uid;
		const { device, vmm } = await tap();
		await onNode(lost, 'ip', 'link', 'delete', device);
		process.kill(vmm, 'SIGKILL');
		await running(before);
		expect(await answers()).toBe(true);
		expect(await port()).toBe(identity);
	});

	it('from another node when its own is lost while the guest runs on, and nothing is left there when the node is back', async () => {
		const marked = { env: { ...deps.env, TAPESTRY_LAB: sharedLab().dir } };
		const before = instance()?.metadata.uid;
		const { device } = await tap();
		const launcher = [...launchers.values()].find(({ spec }) => spec?.nodeName === lost.name)?.metadata.name ?? '';
		await withoutKubelet(marked, async () => {
			const elsewhere = { spec: { template: { spec: { nodeSelector: { 'kubernetes.io/hostname': 'n2' } } } } };
			await kube('patch', 'vm', '-n', namespace, 'vm', '--type=merge', '-p', JSON.stringify(elsewhere));
			// What an administrator does once he knows that a node is out of service.
			await kube('delete', 'pod', '-n', namespace, launcher, '--force', '--grace-period=0', '--wait=false');
			await running(before);
			expect(await answers()).toBe(true);
			expect(await port()).toBe(identity);
			expect(await chassisOf()).toContain('requested-chassis=n2');
			// The old guest still holds its tap: only the logical port has moved.
			expect(await onNode(lost, 'ip', '-o', 'link', 'show', device)).toContain('LOWER_UP');
		});
		await untilLink(`/run/netns/${sharedLab().node(lost.name).netns}`, device, (link) => link === undefined);
		expect(await vsctl(lost, 'list-ports', 'br-int')).not.toContain(device);
		await kube('wait', '--for=condition=Ready', '--timeout=60s', `node/${lost.name}`);
		expect(await answers()).toBe(true);
	});
});

/** Kills kubelet and agent of the node that is lost, and starts them again whatever happens. */
async function withoutKubelet(marked: { readonly env: NodeJS.ProcessEnv }, work: () => Promise<void>): Promise<void> {
	const [kubelet = 0, agent = 0] = ['kubelet', 'agent'].map((name) => programPid(sharedLab(), `${lost.name}-${name}`));
	const guest = /--guest=([^\0]+)/.exec(readFileSync(`/proc/${kubelet}/cmdline`, 'utf8'))?.[1] ?? '';
	for (const pid of [kubelet, agent]) process.kill(pid, 'SIGKILL');
	try {
		await work();
	} finally {
		await startAgent(marked, sharedLab(), lost);
		await startKubelet(marked, sharedLab(), lost, guest);
	}
}
