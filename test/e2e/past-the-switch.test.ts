import type { PortPath } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, inWorkload, kube, kubeJson, sharedLab, tapestry } from './harness/lab.ts';
import { eventResource, type LabEvent, LabWatch } from './harness/watch.ts';

// A network that is not Tapestry's: a cable of node n1 whose far end is a host with three addresses. The machine's subnet says that it is on the NIC.
const router = { v4: '10.29.0.1', v6: 'fd00:10:29::1' };
const friend = { v4: '10.29.0.2', v6: 'fd00:10:29::2' };
const families = ['v4', 'v6'] as const;

const machine = (name: string, annotations: string) => `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: ${name}, namespace: lan }
spec:
  running: true
  template:
    metadata: { labels: { app: ${name} }, annotations: { ${annotations} } }
    spec: { nodeSelector: { kubernetes.io/hostname: n1 }, domain: { memory: { guest: 160Mi }, devices: {} } }
---
`;
// In a VPC of its own, so that the node does not take its addresses for those of the cluster.
const network = `apiVersion: v1
kind: Namespace
metadata: { name: lan }
---
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: { name: elsewhere }
spec: { namespaces: [lan] }
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: { name: lan, annotations: { tapestry.io/attachment-mode: macvtap, tapestry.io/macvtap-parent: lan0 } }
spec:
  vpc: elsewhere
  cidrBlock: "10.29.0.0/24,fd00:10:29::/112"
  gateway: "${router.v4},${router.v6}"
  excludeIps: ["${friend.v4}", "${friend.v6}"]
---
`;
const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: friends, namespace: lan }
spec:
  podSelector: { matchLabels: { app: direct } }
  ingress:
    - from: [{ ipBlock: { cidr: ${friend.v4}/32 } }, { ipBlock: { cidr: ${friend.v6}/128 } }]
      ports: [{ port: 80 }]
---
`;
const machines = `${machine('direct', '')}${machine('lost', 'tapestry.io/macvtap-parent: lan9')}${machine('odd', 'tapestry.io/macvtap-parent: "lan 0"')}`;

const onNode = (...command: readonly string[]) => inWorkload('default', 'node/n1', ...command);

beforeAll(async () => {
	await onNode('ip', 'link', 'add', 'lan0', 'up', 'type', 'veth', 'peer', 'name', 'lan1');
	await onNode('ethtool', '-K', 'lan1', 'tx', 'off');
	await onNode('ip', 'link', 'set', 'lan1', 'up');
	for (const address of [router.v4, friend.v4]) await onNode('ip', 'address', 'add', `${address}/24`, 'dev', 'lan1');
	for (const address of [router.v6, friend.v6]) await onNode('ip', 'address', 'add', `${address}/112`, 'dev', 'lan1', 'nodad');
	await applyYaml(network + policy + machines);
	await kube('wait', '-n', 'lan', '--for=condition=Ready', '--timeout=120s', 'vm/direct');
	// Until its guest has booted.
	await inWorkload('lan', 'vm/direct', 'true');
});
afterAll(async () => {
	await deleteYaml(machines + policy);
	await deleteYaml(network);
	await onNode('ip', 'link', 'delete', 'lan0');
});

async function addressOf(family: (typeof families)[number]): Promise<string> {
	const { spec } = await kubeJson<{ spec: { v4IpAddress: string; v6IpAddress: string } }>('get', 'ip', 'direct.lan');
	return family === 'v4' ? spec.v4IpAddress : spec.v6IpAddress;
}

/** What the machine's web server answers to one of the network's addresses. */
async function get(
	family: (typeof families)[number],
	from: { readonly v4: string; readonly v6: string },
	patience: number,
): Promise<string> {
	const address = await addressOf(family);
	const url = family === 'v4' ? `http://${address}/` : `http://[${address}]/`;
	const retry = ['--retry', '20', '--retry-delay', '1', '--retry-all-errors', '--connect-timeout', '2', '--max-time', String(patience)];
	return (await onNode('curl', '-s', ...(patience > 5 ? retry : ['--max-time', String(patience)]), '--interface', from[family], url))
		.stdout;
}

async function conditionOf(name: string): Promise<{ status?: string; reason?: string; message?: string }> {
	const vm = await kubeJson<{ status?: { conditions?: { type: string; status: string }[] } }>('get', 'vm', '-n', 'lan', name);
	return vm.status?.conditions?.find(({ type }) => type === 'tapestry.io/RulesEnforced') ?? {};
}

describe.each(families)('a machine on a NIC of its node, by %s', (family) => {
	it('answers whom its NetworkPolicy names, under the address of its lease, and nobody else', async () => {
		expect(await get(family, friend, 60)).toBe('vm direct\n');
		expect(await get(family, router, 2)).toBe('');
	});
});

it('is told what is not kept for it, and of a rule that cannot be', async () => {
	await kube('wait', '-n', 'lan', '--for=condition=tapestry.io/RulesEnforced', '--timeout=30s', 'vm/direct');
	expect(await conditionOf('direct')).toMatchObject({
		status: 'True',
		message: expect.stringMatching(/on lan0, past the switch: Services, NAT/),
	});
	const acls = [{ direction: 'to-lport', priority: 1000, match: 'tcp.dst == 81', action: 'reject' }];
	await kube('patch', 'subnet', 'lan', '--type=merge', '-p', JSON.stringify({ spec: { acls } }));
	await kube('wait', '-n', 'lan', '--for=condition=tapestry.io/RulesEnforced=False', '--timeout=30s', 'vm/direct');
	expect(await conditionOf('direct')).toMatchObject({
		reason: 'NotEnforceable',
		message: expect.stringMatching(
			/^not enforced as written: Subnet\/lan spec\.acls\[0\] \(what it rejects is dropped without an answer\)/,
		),
	});
});

it('follows its policy', async () => {
	await kube('delete', 'networkpolicy', '-n', 'lan', 'friends');
	for (const family of families) expect(await get(family, router, 60)).toBe('vm direct\n');
});

it('has a path that leaves the node without the switch', async () => {
	const { status, stdout } = await tapestry(['show', 'port', '--name', sharedLab().id, '-n', 'lan', '--json', 'vm/direct']);
	const path = JSON.parse(stdout) as PortPath;
	expect(path.faults).toEqual([]);
	expect(status).toBe(0);
	expect(path.hops.map(({ kind, name }) => [kind, name]).slice(0, 3)).toEqual([
		['guest', 'eth0'],
		['launcher', 'macvtap'],
		['NIC of the node', 'lan0'],
	]);
});

it('is told apart by why', async () => {
	const { stdout } = await tapestry(['why', '--name', sharedLab().id, '-n', 'lan', '--json', 'vm/lost', 'vm/direct']);
	expect(stdout).toContain('past the switch');
});

it('cannot be on a NIC that is not there, or has no name', async () => {
	await using watch = new LabWatch();
	const events = await watch.follow<LabEvent>(eventResource, 'lan');
	const event = await watch.until('an event that names the device', () =>
		[...events.values()].find(({ message }) => message.includes('there is no device lan9')),
	);
	expect(event.message).toMatch(/there is no device lan9 \(fix: provide it, run the machine on another node, or use one of lift,/);
	await kube('wait', '-n', 'lan', '--for=condition=Failure', '--timeout=30s', 'vm/odd');
	expect(await kube('get', 'vm', '-n', 'lan', 'odd', '-o', 'jsonpath={.status.conditions[?(@.type=="Failure")].message}')).toMatch(
		/macvtap-parent is "lan 0", which is no name of a device/,
	);
});
