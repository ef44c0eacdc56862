import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, inWorkload, kubeJson, type PodStatus, waitReady } from './harness/lab.ts';
import { namespace, pod, subnet, vpc } from './matrix/objects.ts';

/**
 * On the userspace datapath the node's own stack sees every frame that a pod sends on its port. What it must never do is answer: a pod in a
 * VPC of its own has no way to any node, so any answer from one would have gone past OVN.
 */
const objects = [
	namespace('lonely'),
	vpc('lonely', { namespaces: ['lonely'] }),
	subnet('lonely-net', { vpc: 'lonely', cidrBlock: '10.77.0.0/24,fd00:77::/120', protocol: 'Dual', namespaces: ['lonely'] }),
	pod('one', { namespace: 'lonely', node: 'n1' }),
].join('');

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady('lonely', 'pod/one');
	// Routes by the device itself, so that the pod asks on the link for addresses which only the node has.
	for (const [family, address] of [
		['-4', '172.30.0.1'],
		['-4', '100.64.0.2'],
		['-6', 'fd00:172:30::1'],
	]) {
		await inWorkload('lonely', 'pod/one', 'ip', family ?? '', 'route', 'replace', address ?? '', 'dev', 'eth0');
	}
});
afterAll(() => deleteYaml(objects));

describe('the node’s own stack behind a pod’s port', () => {
	it('the pod works: its gateway answers', async () => {
		const pod = await kubeJson<PodStatus>('get', 'pod', '-n', 'lonely', 'one');
		expect(pod.status.podIP).toBe('10.77.0.2');
		expect((await inWorkload('lonely', 'pod/one', 'ping', '-c', '1', '-w', '5', '10.77.0.1')).status).toBe(0);
	});

	it.each(['172.30.0.1', '100.64.0.2', 'fd00:172:30::1'])('does not answer for %s: neither ARP or ND nor ping', async (address) => {
		const family = address.includes(':') ? ['-6'] : [];
		expect((await inWorkload('lonely', 'pod/one', 'ping', ...family, '-c', '2', '-W', '1', address)).status).not.toBe(0);
		const { stdout } = await inWorkload('lonely', 'pod/one', 'ip', 'neighbour', 'show', address);
		expect(stdout).not.toMatch(/lladdr/);
	});

	it('does not take frames sent to the address of its port, whoever they claim to be for', async () => {
		// A neighbour entry by hand makes the pod send without asking: all hosts on the link get the frame.
		await inWorkload(
			'lonely',
			'pod/one',
			'ip',
			'neighbour',
			'replace',
			'172.30.0.1',
			'lladdr',
			'ff:ff:ff:ff:ff:ff',
			'dev',
			'eth0',
			'nud',
			'permanent',
		);
		expect((await inWorkload('lonely', 'pod/one', 'ping', '-c', '2', '-W', '1', '172.30.0.1')).status).not.toBe(0);
	});

	it('answers no link-local multicast: only OVN’s router advertises', async () => {
		const { stdout } = await inWorkload('lonely', 'pod/one', 'ping', '-6', '-c', '2', '-W', '1', 'ff02::1%eth0');
		const answering = [...stdout.matchAll(/from (fe80[^%:\s]*[^%\s]*)%eth0/g)].map(([, from]) => from);
		const own = await inWorkload('lonely', 'pod/one', 'ip', '-6', '-brief', 'address', 'show', 'dev', 'eth0', 'scope', 'link');
		expect(answering.filter((from) => !own.stdout.includes(`${from}/`))).toEqual([]);
	});
});
