import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@tapestry/base';
import { createVeth, deleteLink, findLink, Namespace, openRoute, setVirtualFunctionMac } from '@tapestry/linux';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { kataFaults } from '../testing/kata-schema.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';

const address = '0000:18:02.5';
const representor = 'ens1r5';

let node: MiniNode;
let agent: AgentUnderTest;
/** Stands in for the guest: the virtual function is the other end of a veth whose near end is the representor. */
let guest: Sandbox;
const macs: string[] = [];

beforeAll(async () => {
	node = await startMiniNode('kvfio');
	makeNetwork(node);
	guest = node.sandbox('guest');
	using namespace = Namespace.open(guest.path);
	createVeth(node.host.route, { name: representor, peer: { name: 'eth0', namespace } });
	agent = await start();
});
afterAll(async () => {
	await agent?.abandon();
	if (node) await deleteLink(representor, node.host.namespace);
	await node?.[Symbol.asyncDispose]();
});

function start(): Promise<AgentUnderTest> {
	return startAgent(node, {
		exists: (path) => path === '/dev/vfio/vfio' || existsSync(path),
		virtualFunctions: {
			find(pciAddress) {
				if (pciAddress !== address) throw new CodedError('AGENT_VIRTUAL_FUNCTION', `${pciAddress} has no representor`);
				// As sysfs, which shows what a device is and not what it is called.
				const device = agent?.journal
					.all()
					.find(({ mode }) => mode === 'vfio' && findLink(node.host.route, representor) === undefined)?.device;
				return { physical: 'ens1', index: 5, representor: device ?? representor };
			},
			setMac: (_, mac) => void macs.push(mac),
		},
	});
}

function pod(name: string, host: number) {
	const port = portOf(`${name}.default`, host);
	makeLogicalPort(node, port);
	agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port, mode: 'vfio' });
	return { sandbox: node.sandbox(name), containerId: name, port, config: { deviceID: address } };
}

const file = (containerId: string): string => join(node.run, 'dans', `${containerId}.json`);

describe('a Kata sandbox by vfio', () => {
	it('has its representor in the switch and its function in the file, and lets both go', async () => {
		const kata = pod('v', 16);
		const added = await agent.call('ADD', kata);
		expect(added).toMatchObject({ ok: true });
		const document = JSON.parse(readFileSync(file('v'), 'utf8'));
		expect(kataFaults(document, 'go')).toEqual([]);
		expect(document.devices[0]).toMatchObject({ guest_mac: kata.port.mac, device: { type: 'vfio', pci_device_id: address } });
		expect(macs).toEqual([kata.port.mac]);
		const ip = (...args: readonly string[]): void => expect(guest.run('ip', ...args)).toMatchObject({ status: 0 });
		ip('link', 'set', 'eth0', 'address', kata.port.mac, 'up');
		ip('addr', 'add', '10.16.0.16/16', 'dev', 'eth0');
		expect(guest.run('ping', '-c', '1', '-W', '5', gateways.v4)).toMatchObject({ status: 0 });
		await agent.abandon();
		agent = await start();
		expect((await agent.call('CHECK', { ...kata, config: { ...kata.config, prevResult: added.json } })).json).toEqual({});

		const other = pod('w', 17);
		expect((await agent.call('ADD', other)).json.details).toContain('is a port already');
		expect((await agent.call('CHECK', { ...kata, config: { ...kata.config, prevResult: added.json } })).json).toEqual({});

		const { device } = agent.journal.all()[0]!;
		for (let twice = 0; twice < 2; twice++) {
			expect((await agent.call('DEL', kata)).ok).toBe(true);
			expect(existsSync(file('v'))).toBe(false);
			expect(agent.bridge.port(device)).toBeUndefined();
			expect(findLink(node.host.route, device)).toBeUndefined();
			expect(findLink(node.host.route, representor)).toMatchObject({ up: false });
			expect(kata.sandbox.run('ip', 'link', 'show', 'eth0').status).not.toBe(0);
		}
	});

	it('is removed without a record', async () => {
		const kata = pod('r', 18);
		expect(await agent.call('ADD', kata)).toMatchObject({ ok: true });
		agent.journal.remove({ containerId: 'r', ifname: 'eth0' });
		expect((await agent.call('DEL', kata)).ok).toBe(true);
		expect(findLink(node.host.route, representor)).toBeDefined();
		expect(existsSync(file('r'))).toBe(false);
	});

	it.each([
		['n1', {}, 'has no \\"deviceID\\"'],
		['n2', { deviceID: 'eth3' }, 'not a PCI address'],
		['n3', { deviceID: '0000:18:02.6' }, 'has no representor'],
	])('is refused without a virtual function that can be plugged in, and nothing is left: %s', async (name, config, why) => {
		const refused = await agent.call('ADD', { ...pod(name, 20 + Number(name.slice(1))), config });
		expect(refused.ok).toBe(false);
		expect(refused.body).toContain(why);
		expect(agent.journal.all()).toEqual([]);
		expect(findLink(node.host.route, representor)).toBeDefined();
	});
});

it('is refused by vhost-user where Open vSwitch has no DPDK', async () => {
	const kata = pod('u', 19);
	agent.workloads.set({ namespace: 'default', name: 'u' }, { kind: 'pod', port: kata.port, mode: 'vhost-user' });
	const { json } = await agent.call('ADD', kata);
	expect(json).toMatchObject({ code: 50, msg: expect.stringContaining('by vhost-user'), details: expect.stringContaining('without DPDK') });
	expect(existsSync(file('u'))).toBe(false);
});

it('asks the kernel for an address of a virtual function, which a veth does not have', () => {
	using route = openRoute(node.host.namespace);
	expect(() => setVirtualFunctionMac(route, representor, { index: 0, mac: '02:00:00:00:00:01' })).toThrow(
		expect.objectContaining({ code: 'LINUX_ENOTSUP' }),
	);
});
