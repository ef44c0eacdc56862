import { tapInto } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../../../base/src/testing/until.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { linkLocalOf, routerSolicitation } from '../testing/frames.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { talk } from '../testing/talk.ts';

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
function pod(name: string): { readonly sandbox: Sandbox; readonly containerId: string; readonly host: number; readonly mac: string } {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port });
	return { sandbox: node.sandbox(name), containerId: name, host, mac: port.mac };
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
			expect(a.sandbox.run('ping', '-c1', '-W10', target).stdout, target).toContain('1 received');
		}
	});

	it('talks TCP with another pod in both families', async () => {
		const [a, b] = [pod('c'), pod('d')];
		await Promise.all([agent.call('ADD', a), agent.call('ADD', b)]);
		expect(await talk(b.sandbox.path, a.sandbox.path, `10.16.0.${b.host}`)).toBe(`10.16.0.${a.host}`);
		expect(await talk(b.sandbox.path, a.sandbox.path, `fd00:10:16::${b.host.toString(16)}`)).toBe(`fd00:10:16::${a.host.toString(16)}`);
	});

	it('gets its IPv6 address also where the runtime has switched IPv6 off', async () => {
		const one = pod('e');
		one.sandbox.run('sysctl', '-w', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
		expect((await agent.call('ADD', one)).ok).toBe(true);
		expect(one.sandbox.run('ping', '-c1', '-W10', gateways.v6).stdout).toContain('1 received');
	});

	it('listens to no router advertisement', async () => {
		const one = pod('f');
		await agent.call('ADD', one);
		const wire = await tapInto(one.sandbox.path, 'eth0');
		try {
			const advertisement = wire.receive((frame) => frame.readUInt16BE(12) === 0x86dd && frame[54] === 134);
			wire.send(routerSolicitation({ mac: one.mac, ip: linkLocalOf(one.mac) }));
			await within("OVN's router advertisement", advertisement);
		} finally {
			await wire.kill();
		}
		// A pod that listened would have a second default route and address by now.
		expect(one.sandbox.run('ip', '-6', 'route', 'show', 'default').stdout.trim().split('\n')).toHaveLength(1);
		expect(one.sandbox.run('ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'global').stdout.match(/inet6/g)).toHaveLength(1);
	});
});
