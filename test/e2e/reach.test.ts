import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, inWorkload, kube, kubeJson, type PodStatus, pings, sharedLab, waitReady } from './harness/lab.ts';
import { settled } from './harness/settled.ts';
import { namespace, pod } from './matrix/objects.ts';

const on = (node: string) => ({ namespace: 'reach', node });
const objects = [namespace('reach'), pod('a', on('n1')), pod('b', on('n1')), pod('c', on('n2'))].join('');

const addresses: Record<string, readonly string[]> = {};

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady('reach', 'pod/a', 'pod/b', 'pod/c');
	// A pod is ready when its own node has its flows.
	await settled();
	for (const name of ['a', 'b', 'c']) {
		const { status } = await kubeJson<PodStatus>('get', 'pod', '-n', 'reach', name);
		addresses[name] = status.podIPs.map(({ ip }) => ip);
	}
});
afterAll(() => deleteYaml(objects));

const families = [
	['IPv4', 0],
	['IPv6', 1],
] as const;
/** The world outside the nodes, and nodes' own addresses on the underlay. */
const outside = ['172.30.0.254', 'fd00:172:30::fe'] as const;
const nodeOne = ['172.30.0.1', 'fd00:172:30::1'] as const;
const gateway = ['10.16.0.1', 'fd00:10:16::1'] as const;

describe.each(families)('%s', (_family, i) => {
	it('pod to pod on the same node and on another', async () => {
		expect(await pings('reach', 'pod/a', addresses.b?.[i] ?? '')).toBe(true);
		expect(await pings('reach', 'pod/a', addresses.c?.[i] ?? '')).toBe(true);
	});

	it('TCP carries a page, which ping does not prove', async () => {
		const address = addresses.c?.[i] ?? '';
		const url = `http://${address.includes(':') ? `[${address}]` : address}/`;
		const { stdout } = await inWorkload('reach', 'pod/a', 'curl', '--silent', '--max-time', '5', url);
		expect(stdout).toContain('reach/c');
	});

	it('node to pod, and pod to its gateway', async () => {
		expect(await pings('reach', 'node/n1', addresses.c?.[i] ?? '')).toBe(true);
		expect(await pings('reach', 'node/n3', addresses.a?.[i] ?? '')).toBe(true);
		expect(await pings('reach', 'pod/a', gateway[i])).toBe(true);
	});

	it('pod to node, same and other', async () => {
		expect(await pings('reach', 'pod/a', nodeOne[i])).toBe(true);
		expect(await pings('reach', 'pod/c', nodeOne[i])).toBe(true);
	});

	it('out through the node: the world sees the node’s address', async () => {
		expect(await pings('reach', 'pod/a', outside[i])).toBe(true);
		expect(await pings('reach', 'pod/c', outside[i])).toBe(true);
	});
});

describe('Service kubernetes', () => {
	it('is reachable from pods and from nodes', async () => {
		const probe = ['busybox', 'nc', '-w', '5', '10.96.0.1', '443', '-e', 'true'];
		expect((await inWorkload('reach', 'pod/a', ...probe)).status).toBe(0);
		expect((await inWorkload('reach', 'node/n2', ...probe)).status).toBe(0);
	});
});

describe('kubectl', () => {
	it('answers exec with the command to use', async () => {
		await expect(kube('exec', '-n', 'reach', 'a', '--', 'true')).rejects.toThrow(/npm run lab -- exec/);
	});

	it('lab exec passes the exit status on', async () => {
		expect((await inWorkload('reach', 'pod/a', 'sh', '-c', 'exit 37')).status).toBe(37);
		expect(sharedLab().id).toMatch(/^t/);
	});
});
