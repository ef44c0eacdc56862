import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findLink } from '@tapestry/linux';
import { cable } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { kataFaults } from '../testing/kata-schema.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';
import { talk } from '../testing/talk.ts';
import type { DirectAttachment } from './direct-attachment.ts';

let node: MiniNode;
let agent: AgentUnderTest;
let nextHost = 16;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
	node = await startMiniNode('kata');
	makeNetwork(node);
	agent = await startAgent(node);
});
afterAll(async () => {
	for (const end of ends) await end();
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

interface Pod {
	readonly sandbox: Sandbox;
	readonly containerId: string;
	readonly v4: string;
	readonly v6: string;
}

function pod(name: string, mode: 'veth' | 'host-tap'): Pod {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port, mode });
	return { sandbox: node.sandbox(name), containerId: name, v4: `10.16.0.${host}`, v6: `fd00:10:16::${host.toString(16)}` };
}

const fileOf = ({ containerId }: Pod): string => join(node.run, 'dans', `${containerId}.json`);
const readFile = (of: Pod): DirectAttachment => JSON.parse(readFileSync(fileOf(of), 'utf8'));

/** What Kata does with the file: its VMM opens the tap, its agent gives the guest's NIC what the file says. The guest is a namespace. */
async function startGuest(of: Pod): Promise<Sandbox> {
	const [nic] = readFile(of).devices;
	if (!nic) throw new Error('the file names no device');
	const guest = node.sandbox(`${of.containerId}-guest`);
	ends.push(await cable(`/run/netns/${node.name}`, String(nic.device.tap_name), guest.path, 'eth0'));
	const { interface: link, routes } = nic.network_info;
	const ip = (...args: readonly string[]): void => expect(guest.run('ip', ...args)).toMatchObject({ status: 0 });
	ip('link', 'set', 'eth0', 'address', nic.guest_mac, 'mtu', String(link.mtu), 'up');
	for (const address of link.ip_addresses) ip('addr', 'add', address, 'dev', 'eth0', ...(address.includes(':') ? ['nodad'] : []));
	for (const { gateway } of routes) ip('route', 'add', 'default', 'via', gateway);
	return guest;
}

describe('a Kata sandbox by host-tap', () => {
	it('reaches others and is reached in both families, and what is forbidden stays out', async () => {
		const [kata, other] = [pod('k', 'host-tap'), pod('o', 'veth')];
		const [added] = await Promise.all([agent.call('ADD', kata), agent.call('ADD', other)]);
		expect(added.json).toMatchObject({
			interfaces: expect.arrayContaining([expect.objectContaining({ name: 'eth0', sandbox: kata.sandbox.path })]),
			ips: [expect.objectContaining({ address: `${kata.v4}/16` }), expect.objectContaining({ address: `${kata.v6}/112` })],
		});
		expect(kataFaults(readFile(kata), 'runtime-rs')).toEqual([]);
		expect((await agent.call('CHECK', { ...kata, config: { prevResult: added.json } })).ok).toBe(true);
		const guest = await startGuest(kata);
		for (const [mine, theirs, gateway] of [
			[kata.v4, other.v4, gateways.v4],
			[kata.v6, other.v6, gateways.v6],
		] as const) {
			expect(guest.run('ping', '-c', '1', '-W', '5', gateway)).toMatchObject({ status: 0 });
			expect(await talk(other.sandbox.path, guest.path, theirs)).toContain(mine);
			expect(await talk(guest.path, other.sandbox.path, mine)).toContain(theirs);
		}
		// From addresses that are not the port's nothing passes; nor does what a rule denies.
		guest.run('ip', 'addr', 'add', '10.16.0.200/16', 'dev', 'eth0');
		expect(guest.run('ping', '-c', '1', '-W', '1', '-I', '10.16.0.200', other.v4).status).not.toBe(0);
		node.nbctl('--wait=hv', 'acl-add', 'ovn-default', 'to-lport', '1000', 'outport == "k.default" && icmp', 'drop');
		node.revalidate();
		expect(other.sandbox.run('ping', '-c', '1', '-W', '1', kata.v4).status).not.toBe(0);
		expect(other.sandbox.run('ping', '-6', '-c', '1', '-W', '1', kata.v6).status).not.toBe(0);
		expect(await talk(guest.path, other.sandbox.path, kata.v4)).toContain(other.v4);
		node.nbctl('acl-del', 'ovn-default');
	});

	it('goes on under the next agent, and leaves nothing after DEL, twice', async () => {
		const kata = pod('d', 'host-tap');
		const added = await agent.call('ADD', kata);
		const tap = String(readFile(kata).devices[0]?.device.tap_name);
		await agent.abandon();
		agent = await startAgent(node);
		expect((await agent.call('CHECK', { ...kata, config: { prevResult: added.json } })).json).toEqual({});
		for (let twice = 0; twice < 2; twice++) {
			expect((await agent.call('DEL', kata)).ok).toBe(true);
			expect(() => readFile(kata)).toThrow('ENOENT');
			expect(findLink(node.host.route, tap)).toBeUndefined();
			expect(agent.bridge.port(tap)).toBeUndefined();
			expect(kata.sandbox.run('ip', 'link', 'show', 'eth0').status).not.toBe(0);
		}
	});

	it('is found again by CHECK without its file, and removed by DEL without a record', async () => {
		const kata = pod('r', 'host-tap');
		const added = await agent.call('ADD', kata);
		const tap = String(readFile(kata).devices[0]?.device.tap_name);
		const record = agent.journal.get({ containerId: kata.containerId, ifname: 'eth0' });
		if (!record) throw new Error('there is no record');
		agent.journal.remove(record);
		expect((await agent.call('DEL', kata)).ok).toBe(true);
		expect(findLink(node.host.route, tap)).toBeUndefined();
		expect(() => readFile(kata)).toThrow('ENOENT');
		agent.journal.put(record);
		const { json } = await agent.call('CHECK', { ...kata, config: { prevResult: added.json } });
		expect(json.details).toContain("Kata's file of the sandbox's NIC is gone");
		await agent.call('DEL', kata);
	});
});
