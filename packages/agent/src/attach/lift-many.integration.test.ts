import { deleteLink } from '@tapestry/linux';
import { holdTap } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { makeNetwork } from '../testing/logical-network.ts';
import { MachineModel } from '../testing/machine-model.ts';
import { type MiniNode, startMiniNode } from '../testing/mini-node.ts';
import { tapName } from './waiting-tap.ts';

let node: MiniNode;
let model: MachineModel;

beforeAll(async () => {
	node = await startMiniNode('many');
	makeNetwork(node);
	model = await MachineModel.start(node);
	for (let index = 0; index < 20; index++) model.machine(`m${index}`, 16 + index, index % 2 === 0 ? 1 : 4);
});
afterAll(async () => {
	await model?.[Symbol.asyncDispose]();
	await node?.[Symbol.asyncDispose]();
});

/** Each step starts from the state that the one before it left. */
describe('twenty machines', () => {
	const all = (action: (machine: MachineModel['machines'][number]) => Promise<void>) => Promise.all(model.machines.map(action));

	it('are all lifted when they start at once', async () => {
		await all((machine) => model.add(machine));
		await all((machine) => model.startVmm(machine));
		await model.settled();
	});

	it('go on under the next agent', async () => {
		await model.killAgent();
		model.chatter();
		await model.startAgent();
		await model.settled();
	});

	it('lose and get their ports while Open vSwitch and ovn-controller start anew', async () => {
		await node.restart('ovs-vswitchd');
		await node.restart('ovn-controller');
		await model.settled();
		await Promise.all([node.restart('ovs-vswitchd'), all((machine) => model.restartVmm(machine))]);
		await model.settled();
	});

	it('have their taps back when their VMMs end at once', async () => {
		await all((machine) => model.stopVmm(machine));
		await model.settled();
	});

	it('outlive VMMs that end half-way through their queues', async () => {
		const half = await Promise.all(
			model.machines.filter(({ queues }) => queues > 1).map(({ sandbox }) => holdTap(sandbox.path, { name: tapName, queues: 3 })),
		);
		await Promise.all(half.map((vmm) => vmm.kill()));
		await all((machine) => model.startVmm(machine));
		await model.settled();
	});

	it('may have VMMs with privileges that make a tap of their own before theirs is back', async () => {
		for (const machine of model.machines.slice(0, 5)) {
			await model.killAgent();
			await model.stopVmm(machine);
			await model.startVmm(machine);
			await model.startAgent();
			await model.settled();
		}
	});

	it('leave nothing', async () => {
		// Somebody was here before DEL.
		await deleteLink(model.machines[3]?.device ?? '', node.host.namespace);
		await all((machine) => model.remove(machine, 'VMM last'));
		await model.settled();
	});
});
