import { addAddress, createBridge, findLink, getLink, listLinks, Namespace, openRoute, removeAddress } from '@tapestry/linux';
import { untilLink } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { within } from '../../../base/src/testing/until.ts';
import { createFakeClock } from '../../../kube/src/testing/fake-clock.ts';
import { deviceName } from '../attach/attachment.ts';
import { parseInterfaceAddress } from '../attach/sandbox-side.ts';
import { type AgentUnderTest, startAgent } from '../testing/agent-under-test.ts';
import { gateways, makeLogicalPort, makeNetwork, portOf } from '../testing/logical-network.ts';
import { type MiniNode, type Sandbox, startMiniNode } from '../testing/mini-node.ts';

let node: MiniNode;
let agent: AgentUnderTest;
let nextHost = 16;

beforeAll(async () => {
	node = await startMiniNode('cni');
	makeNetwork(node);
	agent = await startAgent(node);
});
afterAll(async () => {
	await agent?.abandon();
	await node?.[Symbol.asyncDispose]();
});

interface TestPod {
	readonly sandbox: Sandbox;
	readonly containerId: string;
	readonly device: string;
	readonly address: string;
	lease(): void;
}

function pod(name: string, options: { readonly logicalPort: boolean } = { logicalPort: true }): TestPod {
	const host = nextHost++;
	const port = portOf(`${name}.default`, host);
	if (options.logicalPort) makeLogicalPort(node, port);
	return {
		sandbox: node.sandbox(name),
		containerId: name,
		device: deviceName('veth', { containerId: name, ifname: 'eth0' }),
		address: `10.16.0.${host}`,
		lease: () => agent.workloads.set({ namespace: 'default', name }, { kind: 'pod', port }),
	};
}
function leased(name: string): TestPod {
	const made = pod(name);
	made.lease();
	return made;
}

/** What is left of a pod's attachment: nothing, one hopes. */
function traces({ device, containerId, sandbox }: TestPod): readonly string[] {
	using namespace = Namespace.open(sandbox.path);
	using route = openRoute(namespace);
	return [
		...(findLink(node.host.route, device) ? ['device on the node'] : []),
		...(agent.bridge.port(device) ? ['port of the switch'] : []),
		...(agent.journal.get({ containerId, ifname: 'eth0' }) ? ['journal entry'] : []),
		...listLinks(route).flatMap(({ name }) => (name === 'lo' ? [] : [name])),
	];
}

describe('ADD', () => {
	it('waits for the lease and goes on when it comes', async () => {
		const early = pod('early');
		const adding = agent.call('ADD', early);
		await expect(Promise.race([adding, untilWaiting()])).resolves.toBe('waiting');
		early.lease();
		expect((await adding).ok).toBe(true);
	});

	it('fails with code 11 and leaves nothing when the lease does not come in time', async () => {
		const impatient = await startAgent(node, { addMs: 50 });
		const late = pod('late');
		expect(await impatient.call('ADD', late)).toMatchObject({ ok: false, json: { cniVersion: '1.0.0', code: 11 } });
		expect(traces(late)).toEqual([]);
		await impatient.abandon();
	});

	it('fails with code 11, saying what to look at, and leaves nothing when the flows do not come in time', async () => {
		const clock = createFakeClock();
		const plugged = Promise.withResolvers<void>();
		const impatient = await startAgent(node, { clock, addMs: 300, onStep: (step) => (step === 'ovs' ? plugged.resolve() : undefined) });
		const orphan = pod('orphan', { logicalPort: false });
		impatient.workloads.set({ namespace: 'default', name: 'orphan' }, { kind: 'pod', port: portOf('orphan.default', 200) });
		const adding = impatient.call('ADD', orphan);
		await within('the port in the switch', plugged.promise);
		await clock.advance(300);
		const answer = await adding;
		expect(answer.json).toMatchObject({
			code: 11,
			msg: expect.stringContaining('orphan.default'),
			details: expect.stringContaining('ovn-sbctl'),
		});
		expect(traces(orphan)).toEqual([]);
		await impatient.abandon();
	});

	it('is undone when its caller goes', async () => {
		const orphan = pod('gone', { logicalPort: false });
		orphan.lease();
		const caller = new AbortController();
		const adding = agent.call('ADD', { ...orphan, signal: caller.signal });
		await untilLink(`/run/netns/${node.name}`, orphan.device, (link) => link !== undefined);
		caller.abort(new Error('the plugin has gone'));
		expect((await adding).ok).toBe(false);
		expect(traces(orphan)).toEqual([]);
	});

	it('fails and leaves what is not ours alone when the interface is there already', async () => {
		const taken = leased('taken');
		using namespace = Namespace.open(taken.sandbox.path);
		using route = openRoute(namespace);
		createBridge(route, { name: 'eth0' });
		expect((await agent.call('ADD', taken)).json).toMatchObject({ code: 5, details: expect.stringContaining('exists') });
		expect(traces(taken)).toEqual(['eth0']);
	});

	it('refuses a second time, another provider, an unnamed pod and a namespace that is not there', async () => {
		const once = leased('once');
		expect((await agent.call('ADD', once)).ok).toBe(true);
		expect((await agent.call('ADD', once)).json).toMatchObject({ code: 100 });
		expect(once.sandbox.run('ping', '-c1', '-W10', gateways.v4).stdout).toContain('1 received');
		expect((await agent.call('ADD', { ...once, config: { provider: 'macvlan.default' } })).json).toMatchObject({ code: 7 });
		expect((await agent.call('ADD', { ...once, pod: '' })).json).toMatchObject({ code: 4 });
		const lost = { ...leased('lost'), sandbox: { path: '/run/netns/none' } };
		expect((await agent.call('ADD', lost)).json).toMatchObject({ code: 3 });
	});

	it('serves thirty at once, and DEL removes them at once', async () => {
		const many = Array.from({ length: 30 }, (_, i) => leased(`many${i}`));
		const answers = await Promise.all(many.map((one) => agent.call('ADD', one)));
		expect(answers.filter(({ ok }) => !ok).map(({ body }) => body)).toEqual([]);
		const [first, second] = many;
		expect(first?.sandbox.run('ping', '-c1', '-W10', second?.address ?? '').stdout).toContain('1 received');
		const removed = await Promise.all(many.map((one) => agent.call('DEL', one)));
		expect(removed.every(({ ok }) => ok)).toBe(true);
		expect(many.flatMap(traces)).toEqual([]);
	});
});

describe('DEL', () => {
	it('ends an ADD under way and leaves nothing', async () => {
		const brief = pod('brief', { logicalPort: false });
		brief.lease();
		const adding = agent.call('ADD', brief);
		await untilLink(`/run/netns/${node.name}`, brief.device, (link) => link !== undefined);
		expect(await agent.call('DEL', brief)).toMatchObject({ ok: true, body: '' });
		expect((await adding).json).toMatchObject({ code: 11 });
		expect(traces(brief)).toEqual([]);
	});

	it('succeeds twice, without namespace, without configuration details and for what never was', async () => {
		const short = leased('short');
		await agent.call('ADD', short);
		short.sandbox.remove();
		for (const sandbox of [short.sandbox, { path: '' }, { path: '' }]) {
			expect(await agent.call('DEL', { ...short, sandbox })).toMatchObject({ ok: true, body: '' });
		}
		expect(findLink(node.host.route, short.device)).toBeUndefined();
		expect(await agent.call('DEL', { containerId: 'never', sandbox: { path: '' } })).toMatchObject({ ok: true });
	});

	it('finds devices and port without the journal', async () => {
		const forgotten = leased('forgotten');
		await agent.call('ADD', forgotten);
		agent.journal.remove({ containerId: 'forgotten', ifname: 'eth0' });
		await agent.call('DEL', forgotten);
		expect(traces(forgotten)).toEqual([]);
	});
});

describe('CHECK', () => {
	it('compares the sandbox and the switch with what ADD made', async () => {
		const checked = leased('checked');
		const { json: prevResult } = await agent.call('ADD', checked);
		const check = async () => (await agent.call('CHECK', { ...checked, config: { prevResult } })).json;
		expect(await check()).toEqual({});
		using namespace = Namespace.open(checked.sandbox.path);
		using route = openRoute(namespace);
		const { index } = getLink(route, 'eth0');
		const address = parseInterfaceAddress({ address: `${checked.address}/16` });
		removeAddress(route, index, address);
		expect(await check()).toMatchObject({ code: 101, details: expect.stringContaining(`eth0 lacks address ${checked.address}/16`) });
		addAddress(route, index, address);
		checked.sandbox.run('ip', 'route', 'replace', 'default', 'via', gateways.v4);
		expect(await check()).toEqual({});
		node.vsctl('del-port', checked.device);
		expect(await check()).toMatchObject({ code: 101, details: expect.stringContaining('is not plugged into br-int') });
	});

	it('needs a version that has it, the previous result and an attachment', async () => {
		const none = pod('none');
		expect((await agent.call('CHECK', { ...none, version: '0.3.1' })).json).toMatchObject({ cniVersion: '0.3.1', code: 1 });
		expect((await agent.call('CHECK', none)).json).toMatchObject({ code: 7 });
		expect((await agent.call('CHECK', { ...none, config: { prevResult: {} } })).json).toMatchObject({ code: 3 });
	});
});

describe('GC', () => {
	it('removes the attachments of its network that are not named, and no others', async () => {
		const [keep, drop, other] = [leased('keep'), leased('drop'), leased('other')];
		await Promise.all([agent.call('ADD', keep), agent.call('ADD', drop), agent.call('ADD', { ...other, config: { name: 'another' } })]);
		const valid = agent.journal.all().filter(({ containerId }) => containerId !== 'drop' && containerId !== 'other');
		const attachments = valid.map(({ containerId, ifname }) => ({ containerID: containerId, ifname }));
		const gc = (config: Record<string, unknown>) =>
			agent.call('GC', {
				containerId: '',
				sandbox: { path: '' },
				version: '1.1.0',
				config: { 'cni.dev/valid-attachments': attachments, ...config },
			});
		expect(await gc({ disableGC: true })).toMatchObject({ ok: true });
		expect(traces(drop)).not.toEqual([]);
		expect(await gc({})).toMatchObject({ ok: true, body: '' });
		expect(traces(drop)).toEqual([]);
		expect([traces(keep), traces(other)].map((left) => left.length)).toEqual([4, 4]);
	});
});

describe('STATUS and VERSION', () => {
	const nobody = { containerId: '', sandbox: { path: '' } };

	it('tell whether ADD can be served, and what is spoken', async () => {
		expect(await agent.call('STATUS', { ...nobody, version: '1.1.0' })).toMatchObject({ ok: true, body: '' });
		expect((await agent.call('STATUS', nobody)).json).toMatchObject({ code: 1 });
		agent.workloads.ready = false;
		expect((await agent.call('STATUS', { ...nobody, version: '1.1.0' })).json).toMatchObject({ code: 50 });
		agent.workloads.ready = true;
		expect((await agent.call('VERSION', { ...nobody, version: '0.4.0' })).json).toMatchObject({ cniVersion: '0.4.0' });
	});
});

describe('an agent that starts anew', () => {
	it('undoes half an ADD, unplugs ports of unknown sandboxes and keeps the rest', async () => {
		const [whole, half, unknown] = [leased('whole'), leased('half'), leased('unknown')];
		await Promise.all([whole, half, unknown].map((one) => agent.call('ADD', one)));
		const entry = agent.journal.get({ containerId: 'half', ifname: 'eth0' });
		if (entry) agent.journal.put({ ...entry, complete: false });
		agent.journal.remove({ containerId: 'unknown', ifname: 'eth0' });
		await agent.abandon();
		agent = await startAgent(node);
		expect(traces(half)).toEqual([]);
		expect(agent.bridge.port(unknown.device)).toBeUndefined();
		expect(whole.sandbox.run('ping', '-c1', '-W10', gateways.v4).stdout).toContain('1 received');
	});
});

/** Resolves when an ADD waits for its lease. */
async function untilWaiting(): Promise<string> {
	while (agent.workloads.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
	return 'waiting';
}
