import { join } from 'node:path';
import { formatIp } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { type Answer, formatAnswers } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askWhy } from '../../packages/cli/src/why/ask.ts';
import { deniedCell } from '../../packages/cli/src/why/denied-cell.ts';
import { parseSubject } from '../../packages/cli/src/why/subject.ts';
import { applyExample, applyYaml, deleteExample, deleteYaml, kube, sharedLab, tapestry } from './harness/lab.ts';
import { settled } from './harness/settled.ts';
import { addressOf, type Endpoint, openEndpoint } from './matrix/endpoints.ts';
import { document, namespace, pod, subnet, vpc, waitReady } from './matrix/objects.ts';

const at = (name: string, node: string, more: Partial<Parameters<typeof pod>[1]> = {}) =>
	pod(name, { namespace: 'why', node, labels: { app: name }, ...more });
const policy = (name: string, spec: object) =>
	document({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'why' }, spec });
const inSubnet = (name: string) => ({ annotations: { 'ovn.kubernetes.io/logical_switch': name } });
const from = (app: string) => [{ podSelector: { matchLabels: { app } } }];

/** Pods of every kind of neighbourhood: free, under policies, in a security group, in a private subnet, in another VPC. */
const objects = [
	namespace('why'),
	namespace('why-blue'),
	subnet('why-private', { cidrBlock: '10.97.0.0/24,fd00:97::/120', private: true }),
	vpc('why-blue', { namespaces: ['why-blue'] }),
	subnet('why-blue-net', { vpc: 'why-blue', cidrBlock: '10.98.0.0/24,fd00:98::/120', namespaces: ['why-blue'] }),
	document({
		apiVersion: 'kubeovn.io/v1',
		kind: 'SecurityGroup',
		metadata: { name: 'why' },
		spec: {
			ingressRules: [
				{ ipVersion: 'ipv4', protocol: 'tcp', priority: 1, remoteType: 'address', remoteAddress: '0.0.0.0/0', policy: 'allow' },
			],
			egressRules: [
				{ ipVersion: 'ipv4', protocol: 'all', priority: 1, remoteType: 'address', remoteAddress: '0.0.0.0/0', policy: 'allow' },
			],
		},
	}),
	policy('deny', {
		podSelector: { matchLabels: { app: 'b' } },
		policyTypes: ['Ingress'],
		ingress: [{ from: from('c'), ports: [{ protocol: 'TCP', port: 8080 }] }],
	}),
	policy('quiet', { podSelector: { matchLabels: { app: 'c' } }, policyTypes: ['Egress'], egress: [{ to: from('b') }, { to: from('p') }] }),
	document({
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name: 'web', namespace: 'why' },
		spec: { selector: { app: 'b' }, ports: [{ port: 8080 }] },
	}),
	document({
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name: 'empty', namespace: 'why' },
		spec: { selector: { app: 'none' }, ports: [{ port: 80 }] },
	}),
	document({
		apiVersion: 'kubeovn.io/v1',
		kind: 'Vip',
		metadata: { name: 'why' },
		spec: { subnet: 'ovn-default', v4ip: '10.16.200.1' },
	}),
	at('a', 'n1', { annotations: { 'ovn.kubernetes.io/aaps': 'why' } }),
	at('b', 'n2'),
	at('c', 'n2'),
	at('s', 'n1', { annotations: { 'ovn.kubernetes.io/security_groups': 'why' } }),
	at('p', 'n3', inSubnet('why-private')),
	pod('d', { namespace: 'why-blue', node: 'n3' }),
].join('');
const pods = ['why/a', 'why/b', 'why/c', 'why/s', 'why/p', 'why-blue/d'] as const;
const protocols = ['tcp', 'udp', 'ping'] as const;
const port = 8080;

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady(objects);
});
afterAll(() => deleteYaml(objects));

function why(...args: readonly string[]) {
	return tapestry(['why', '--name', sharedLab().id, '-n', 'why', ...args]);
}

describe('why', () => {
	it('says of every pair what packets do', async () => {
		await settled();
		const endpoints = new Map<string, Endpoint>();
		for (const name of pods) endpoints.set(name, await openEndpoint(`pod/${name}`));
		for (const endpoint of endpoints.values()) for (const protocol of ['tcp', 'udp'] as const) await endpoint.serve(protocol, port);
		using client = createKubeClient({ clock: systemClock, random: Math.random }, { kubeconfig: sharedLab().kubeconfig });
		const sources = { client, northbound: `unix:${join(sharedLab().central, 'nb.sock')}` };
		const pairs = pods.flatMap((one) => [
			...pods.filter((other) => other !== one).flatMap((other) => protocols.map((proto) => [one, `pod/${other}`, proto] as const)),
			// A pod that meets itself behind a Service is a story of its own (LIMITS.md).
			...(one === 'why/b' ? [] : [[one, 'svc/web', 'tcp'] as const]),
		]);
		const wrong = await Promise.all(
			pairs.map(async ([one, other, proto]) => {
				const names = { from: parseSubject(`pod/${one}`, 'why'), to: parseSubject(other, 'why') };
				const rest = { family: undefined, size: undefined, betweenNodes: undefined };
				const what = proto === 'ping' ? { protocol: 'icmp' as const, port: undefined } : { protocol: proto, port };
				const answers = await askWhy(sources, { ...names, ...rest, ...what }, AbortSignal.timeout(60_000));
				const checks = answers.map((answer) => disagreement(answer, proto, endpoints.get(one), endpoints.get(other.replace('pod/', ''))));
				return (await Promise.all(checks)).join('');
			}),
		);
		for (const endpoint of endpoints.values()) await endpoint[Symbol.asyncDispose]();
		expect(wrong.filter((text) => text !== '').join('\n\n')).toBe('');
	});

	it('names the policy, its rule and the way, and ovn-trace agrees', async () => {
		const { status, stdout } = await why('pod/a', 'pod/b', '--tcp', '8080', '--trace');
		expect(stdout).toContain('denied, as ordered by NetworkPolicy why/deny (spec.podSelector)');
		expect(stdout).toContain('ovn-trace, IPv4: agrees');
		expect(stdout).toContain('ovn-trace, IPv6: agrees');
		expect(status).toBe(1);
		const allowed = await why('pod/c', 'pod/b', '--tcp', '8080', '--trace');
		expect(allowed.stdout).toContain(
			'allowed by NetworkPolicy why/quiet (spec.egress[0].to[0]) and NetworkPolicy why/deny (spec.ingress[0].from[0])',
		);
		expect(allowed.stdout).not.toContain('NOT AGREE');
		expect(allowed.status).toBe(0);
	});

	it('names what is not policy: VPC, subnet, Service, address, node', async () => {
		const reasons = async (...args: readonly string[]) => {
			const { status, stdout, stderr } = await why('--json', ...args);
			expect(stderr).toBe('');
			const { answers } = JSON.parse(stdout) as { answers: Answer[] };
			return { status, ...answers[0] };
		};
		expect(await reasons('pod/a', 'pod/why-blue/d')).toMatchObject({ status: 1, reason: 'other-vpc', object: 'Vpc/ovn-cluster' });
		expect(await reasons('pod/a', 'pod/p')).toMatchObject({ status: 1, reason: 'private-subnet', object: 'Subnet/why-private' });
		expect(await reasons('pod/a', 'svc/empty')).toMatchObject({ status: 1, reason: 'no-endpoints', object: 'Service/why/empty' });
		expect(await reasons('pod/why-blue/d', '172.30.0.254')).toMatchObject({ status: 1, reason: 'no-route', object: 'Vpc/why-blue' });
		expect(await reasons('pod/a', '172.30.0.254')).toMatchObject({ status: 0, verdict: 'passes' });
		expect(await reasons('pod/a', 'node/n2')).toMatchObject({ status: 0, deliveredTo: 'node-n2' });
		expect(await reasons('pod/a', 'pod/c', '--size', '1500')).toMatchObject({ status: 1, reason: 'mtu' });
		expect(await reasons('pod/a', 'pod/c', '--source', '10.16.200.1')).toMatchObject({ status: 0, verdict: 'passes' });
		expect(await reasons('pod/a', 'pod/c', '--source', '10.16.200.2')).toMatchObject({ status: 1, reason: 'port-security' });
		expect(await reasons('pod/s', '10.16.200.1')).toMatchObject({ status: 0, deliveredTo: 'a.why' });
	});

	it('says why a pod has no address', async () => {
		const lost = at('lost', 'n1', { annotations: { 'ovn.kubernetes.io/ip_address': '192.0.2.1' } });
		await applyYaml(lost);
		await kube('wait', '-n', 'why', '--for=condition=tapestry.io/NetworkReady=false', '--timeout=60s', 'pod/lost');
		const { status, stdout } = await why('pod/a', 'pod/lost');
		await deleteYaml(lost);
		expect(status).toBe(1);
		expect(stdout).toMatch(/Pod why\/lost has no address yet: .*192\.0\.2\.1/);
	});

	it('is what npm start shows of the example’s policy', async () => {
		await applyExample('demo/shop.yaml');
		await kube('wait', '-n', 'shop', '--for=condition=Ready', '--timeout=90s', 'pods', '--all');
		await settled();
		const quiet = { write: () => {}, writeError: () => {}, exit: () => {} };
		const context = { env: process.env, clock: systemClock, signal: AbortSignal.timeout(60_000), isTerminal: true, ...quiet };
		const text = await deniedCell(context, sharedLab());
		await deleteExample('demo/shop.yaml');
		expect(text).toContain('till -> safe  \u001b[31mdenied, as ordered by NetworkPolicy shop/deny\u001b[0m');
		expect(text).toContain('Pod shop/till -> Pod shop/safe, ping, IPv4 and IPv6');
	});

	it('refuses what it cannot be asked', async () => {
		expect((await why('pod/a', 'pod/none')).stderr).toContain('WHY_NOT_FOUND');
		expect((await why('svc/empty', 'pod/a')).stderr).toContain('WHY_SUBJECT');
	});
});

/** Empty when the packet does what the answer says. One that is to come may need more than a try on a busy machine. */
async function disagreement(
	answer: Answer,
	protocol: (typeof protocols)[number],
	from: Endpoint | undefined,
	to: Endpoint | undefined,
): Promise<string> {
	const { question } = answer;
	const own = to && addressOf(to, question.family === 4 ? 'IPv4' : 'IPv6');
	const address = question.to.kind === 'workload' ? own : formatIp(question.to.address);
	if (!from || address === undefined) return 'there is nobody to ask';
	const isDue = answer.verdict === 'passes';
	let said = '';
	for (let left = isDue ? 10 : 1; left > 0; left--) {
		const { outcome, by } = await from.probe({ protocol, address, port, milliseconds: 1000 });
		if ((outcome === 'passes') === isDue) return '';
		said = `${outcome} ${by ?? ''}`;
	}
	return `packets: ${said}\n${formatAnswers([answer])}`;
}
