import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';

let node: MiniNode;
let agent: AgentUnderTest;
let nextHost = 16;

beforeAll(async () => {
	node = await startMiniNode('veth');
	makeNetwork(node);
	agent = await startAgent(node);
});
afterAll(async () => {
	await node?.[Symbol.asyncDispose]();
});

/** A pod with a lease and a logical port, not yet attached. */
function pod(name: string): { readonly sandbox: Sandbox; readonly containerId: string; readonly host: number } {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port });
	return { sandbox: node.sandbox(name), containerId: name, host };
}

describe('a pod', () => {
	it('reaches another pod and the gateway in both families as soon as ADD has answered', async () => {
		const [a, b] = [pod('a'), pod('b')];
		const [added, other] = await Promise.all([agent.call('ADD', a), agent.call('ADD', b)]);
		expect(added.json).toMatchObject({
			cniVersion: '1.0.0',
			interfaces: [{ name: expect.stringMatching(/_h$/) }, { name: 'eth0', mac: '00:00:00:00:10:10', sandbox: a.sandbox.path }],
			ips: [
				{ address: '10.16.0.16/16', gateway: '10.16.0.1', interface: 1 },
				{ address: 'fd00:10:16::10/112', gateway: 'fd00:10:16::1', interface: 1 },
			],
		});
		expect(other.ok).toBe(true);
		for (const target of [`10.16.0.${b.host}`, `fd00:10:16::${b.host.toString(16)}`, gateways.v4, gateways.v6]) {
			expect(a.sandbox.run('ping', '-c1', '-W1', target).stdout, target).toContain('1 received');
		}
	});
});
