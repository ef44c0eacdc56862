import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, inWorkload, kubeJson, type PodStatus, pings, waitReady } from './harness/lab.ts';

/** Two tenants with the same addresses, each with a pod on two nodes. */
const tenant = (name: string) => `apiVersion: v1
kind: Namespace
metadata: { name: ${name} }
---
apiVersion: kubeovn.io/v1
kind: Vpc
metadata: { name: vpc-${name} }
spec: { namespaces: [${name}] }
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: { name: net-${name} }
spec: { vpc: vpc-${name}, cidrBlock: "10.88.0.0/24,fd00:88::/120", namespaces: [${name}] }
---
${['n1', 'n2']
	.map(
		(node) => `apiVersion: v1
kind: Pod
metadata: { name: on-${node}, namespace: ${name} }
spec:
  nodeSelector: { kubernetes.io/hostname: ${node} }
  containers: [{ name: main, image: "nginx:alpine" }]
`,
	)
	.join('---\n')}`;
const objects = `${tenant('red')}---\n${tenant('blue')}`;

beforeAll(async () => {
	await applyYaml(objects);
	await Promise.all(['red', 'blue'].map((name) => waitReady(name, 'pod/on-n1', 'pod/on-n2')));
});
afterAll(() => deleteYaml(objects));

async function page(namespace: string, pod: string, address: string): Promise<string> {
	const url = `http://${address.includes(':') ? `[${address}]` : address}/`;
	const { stdout } = await inWorkload(namespace, `pod/${pod}`, 'curl', '-s', '-m', '10', '--globoff', url);
	return stdout;
}

describe('two VPCs with one CIDR', () => {
	it('give out the same addresses', async () => {
		const ips = await Promise.all(
			['red', 'blue'].map(async (namespace) => {
				const pods = await kubeJson<{ items: PodStatus[] }>('get', 'pods', '-n', namespace);
				return pods.items.flatMap(({ status }) => status.podIPs.map(({ ip }) => ip)).sort();
			}),
		);
		expect(ips[0]).toEqual(['10.88.0.2', '10.88.0.3', 'fd00:88::2', 'fd00:88::3']);
		expect(ips[1]).toEqual(ips[0]);
	});

	it.each([
		['IPv4', 0],
		['IPv6', 1],
	] as const)('reach their own pod of that address, never the other’s: %s', async (_family, i) => {
		for (const namespace of ['red', 'blue']) {
			const { status } = await kubeJson<PodStatus>('get', 'pod', '-n', namespace, 'on-n2');
			const address = status.podIPs[i]?.ip ?? '';
			expect(await page(namespace, 'on-n1', address)).toContain(`${namespace}/on-n2`);
		}
	});

	it('are cut off from the default VPC and from the nodes', async () => {
		expect(await pings('red', 'pod/on-n1', '10.16.0.1')).toBe(false);
		expect(await pings('red', 'pod/on-n1', '172.30.0.1')).toBe(false);
		expect(await pings('red', 'pod/on-n1', '172.30.0.254')).toBe(false);
	});
});
