import { join } from 'node:path';
import type { Hop, PortPath } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCapture } from '../../packages/agent/src/testing/capture.ts';
import { arrivedDatagrams } from '../../packages/agent/src/testing/limited-traffic.ts';
import { untilLink } from '../../packages/linux/src/testing/until-link.ts';
import { applyYaml, deleteYaml, inWorkload, kube, kubeJson, nbctl, sharedLab, tapestry, waitReady } from './harness/lab.ts';
import { datapathsFollow, settled } from './harness/settled.ts';

/** Limits and mirrors of pods and machines on two nodes, in both families, as they are asked for, changed and taken back while all run. */
const pod = (name: string, node: string) => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: traffic }
spec:
  nodeSelector: { kubernetes.io/hostname: ${node} }
  containers: [{ name: main, image: "nginx:alpine" }]
---
`;
const objects = `apiVersion: v1
kind: Namespace
metadata: { name: traffic }
---
${pod('near', 'n1')}${pod('far', 'n2')}apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: vm, namespace: traffic }
spec:
  running: true
  template:
    spec:
      nodeSelector: { kubernetes.io/hostname: n2 }
      domain: { memory: { guest: 160Mi }, devices: { interfaces: [{ name: default, binding: { name: tapestry } }] } }
      networks: [{ name: default, pod: {} }]
`;

type Name = 'near' | 'far' | 'vm';
const workload = (name: Name) => (name === 'vm' ? 'vm/vm' : `pod/${name}`);
const addresses = {} as Record<Name, readonly string[]>;
interface Running {
	readonly items: readonly { readonly metadata: { readonly uid: string } }[];
}
const running = async () => (await kubeJson<Running>('get', 'pods', '-n', 'traffic')).items.map(({ metadata }) => metadata.uid).sort();
let first: readonly string[];

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady('traffic', 'vm/vm', 'pod/near', 'pod/far');
	for (const name of ['near', 'far', 'vm'] as const) {
		const { spec } = await kubeJson<{ spec: { v4IpAddress: string; v6IpAddress: string } }>('get', 'ip', `${name}.traffic`);
		addresses[name] = [spec.v4IpAddress, spec.v6IpAddress];
	}
	await answer('vm');
	first = await running();
});
afterAll(() => deleteYaml(objects));

/** Each address of each workload has answered a ping. */
async function answer(...names: readonly Name[]): Promise<void> {
	const pings = names.flatMap((name) => addresses[name]).map((address) => `ping -n -c 1 -i 0.2 -w 90 ${address}`);
	const { status, stdout } = await inWorkload('traffic', 'pod/near', 'sh', '-c', pings.join(' && '));
	expect(status, stdout).toBe(0);
}

type Asked = Readonly<Record<string, string | null>>;
/** Asks a pod, or the machine by its template. */
async function ask(name: Name, asked: Asked): Promise<void> {
	const annotations = Object.fromEntries(Object.entries(asked).map(([key, value]) => [`ovn.kubernetes.io/${key}`, value]));
	const patch = name === 'vm' ? { spec: { template: { metadata: { annotations } } } } : { metadata: { annotations } };
	await kube('patch', '-n', 'traffic', name === 'vm' ? 'vm' : 'pod', name, '--type=merge', '-p', JSON.stringify(patch));
}

const sent = 80;
const program = join(import.meta.dirname, '../../packages/agent/src/testing/blast-program.ts');
/** Sends `sent` datagrams. All of them find room in a queue, however long nobody has the time to empty it. */
async function blast(name: Name): Promise<void> {
	const args = ['9', String(sent), '1400', ...addresses[name]];
	const { status, stderr } = await inWorkload(
		'traffic',
		'pod/near',
		process.execPath,
		'--disable-warning=ExperimentalWarning',
		program,
		...args,
	);
	expect(status, stderr).toBe(0);
}

/** How many datagrams have reached each by now: what is on its way comes before the answer to a ping. */
async function arrived(...names: readonly Name[]): Promise<readonly number[]> {
	await answer(...names);
	const counters = (name: Name) => inWorkload('traffic', workload(name), 'cat', '/proc/net/snmp', '/proc/net/snmp6');
	return (await Promise.all(names.map(counters))).map(({ stdout }) => arrivedDatagrams(stdout));
}

/** Of what is sent 1 kbit/s lets pass next to nothing, and a bucket of 0.6 Mbit 52 datagrams. */
const bucket = (way: string): Asked => ({ [`${way}_rate`]: '0.001', [`${way}_burst`]: '0.6' });
const nothing = (way: string): Asked => ({ [`${way}_rate`]: null, [`${way}_burst`]: null });
const shares = (before: readonly number[], after: readonly number[]): readonly string[] =>
	after.map((count, index) => {
		const found = (count - before[index]!) / sent;
		return found > 0.95 && found < 1.1 ? 'all' : found > 0.5 && found < 0.8 ? 'a bucket' : `${found}`;
	});

describe('limits', () => {
	it('hold, change and go while a pod and a machine run, in both families and from the other node', async () => {
		const receivers = ['far', 'vm'] as const;
		const askBoth = (asked: Asked) => Promise.all(receivers.map((name) => ask(name, asked)));
		const seen = [await arrived(...receivers)];
		await askBoth(bucket('ingress'));
		await settled();
		for (const asked of [{ ingress_rate: '1000', ingress_burst: null }, nothing('ingress')]) {
			for (const name of receivers) await blast(name);
			await askBoth(asked);
			await settled();
			seen.push(await arrived(...receivers));
		}
		expect(seen.slice(1).map((after, at) => shares(seen[at]!, after))).toEqual([
			['a bucket', 'a bucket'],
			['all', 'all'],
		]);
	});

	it('are for one direction and one port', async () => {
		await ask('near', { ...bucket('egress'), latency: '5' });
		await settled();
		const start = await arrived('far');
		await blast('far');
		await ask('near', { ...nothing('egress'), latency: null });
		await settled();
		const limited = await arrived('far');
		await blast('far');
		expect([shares(start, limited), shares(limited, await arrived('far'))]).toEqual([['a bucket'], ['all']]);
	});

	it('are named by show port, and change no verdict', async () => {
		const why = () => tapestry(['why', '--name', sharedLab().id, '-n', 'traffic', 'pod/near', 'pod/far', '--tcp', '80']);
		const before = await why();
		await ask('far', { ingress_rate: '3', egress_rate: '1.5', egress_burst: '2' });
		await settled();
		const { stdout } = await tapestry(['show', 'port', '--name', sharedLab().id, '-n', 'traffic', '--json', 'pod/far']);
		const facts = (JSON.parse(stdout) as PortPath).hops.find(({ kind }: Hop) => kind === 'logical port')?.facts;
		expect(facts).toMatchObject({ receivesAtMost: '3 Mbit/s, 1.2 Mbit at once', sendsAtMost: '1.5 Mbit/s, 2 Mbit at once' });
		expect(before.status).toBe(0);
		expect(await why()).toEqual(before);
		await ask('far', { ...nothing('ingress'), ...nothing('egress') });
	});
});

describe('mirrors', () => {
	const node = () => `/run/netns/${sharedLab().node('n2').netns}`;

	it('show on their node what a pod and a machine send and receive, and go again', async () => {
		for (const name of ['far', 'vm'] as const) {
			await ask(name, { mirror: 'true' });
			await untilLink(node(), 'mirror0', (link) => link?.up === true);
			await using capture = await startCapture(node(), 'mirror0');
			// The device is there before all packets go to it.
			await datapathsFollow();
			await answer(name);
			for (const address of addresses[name]) {
				await capture.until(new RegExp(`${address} > .*echo reply`));
				await capture.until(new RegExp(`> ${address}: .*echo request`));
			}
			const path = await tapestry(['show', 'port', '--name', sharedLab().id, '-n', 'traffic', '--json', workload(name)]);
			const facts = (JSON.parse(path.stdout) as PortPath).hops.find(({ kind }: Hop) => kind === 'br-int port')?.facts;
			expect(facts).toMatchObject({ mirroredTo: ['mirror0'] });
			await ask(name, { mirror: null });
			await untilLink(node(), 'mirror0', (link) => link === undefined);
		}
	});

	it('and limits are changed without a restart, and leave nothing behind', async () => {
		expect(await running()).toEqual(first);
		await settled();
		expect(await nbctl('--bare', '--columns=match', 'list', 'QoS')).not.toContain('.traffic');
		const { metadata } = await kubeJson<{ metadata: { annotations: Record<string, string> } }>('get', 'ip', 'far.traffic');
		expect(Object.keys(metadata.annotations).filter((key) => /rate|burst|mirror/.test(key))).toEqual([]);
	});
});
