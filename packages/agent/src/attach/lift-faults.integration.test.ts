import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startAgentCore } from '../testing/agent-core.ts';
import { faults, nodeFaults, prepareFor, suffer } from '../testing/lift-faults.ts';
import { makeNetwork } from '../testing/logical-network.ts';
import { MachineModel } from '../testing/machine-model.ts';
import { type MiniNode, startMiniNode } from '../testing/mini-node.ts';
import { seeded } from '../testing/seeded.ts';

/**
 * How often each fault is repeated, and how many random sequences there are. The long run: `LIFT_FAULT_RUNS=200 npm test -- --stage integration lift-faults`.
 */
const runs = Number(process.env.LIFT_FAULT_RUNS ?? 5);
const stepsOfSequence = 10;

let node: MiniNode;
let model: MachineModel;

beforeAll(async () => {
	node = await startMiniNode('faults');
	makeNetwork(node);
	model = await MachineModel.start(node);
	for (const [index, queues] of [1, 4, 1].entries()) model.machine(`m${index}`, 16 + index, queues);
});
afterAll(async () => {
	await model?.[Symbol.asyncDispose]();
	await node?.[Symbol.asyncDispose]();
});

describe.each(faults)('$name', (fault) => {
	it('loses no port, leaves no tap and lets no packet past OVN, with one queue and with four', { timeout: runs * 20_000 }, async () => {
		for (let run = 0; run < runs; run++) {
			model.trace.length = 0;
			const machine = model.machines[run % 2]!;
			await prepareFor(model, fault, machine);
			await suffer(model, fault, machine);
		}
	});
});

describe('faults one after the other', () => {
	it.each(Array.from({ length: runs }, (_, index) => index + 1))('are survived: seed %i', async (seed) => {
		const random = seeded(seed);
		const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
		model.trace.length = 0;
		for (let step = 0; step < stepsOfSequence; step++) {
			const machine = pick(model.machines);
			const fault = random() < 0.05 ? pick(nodeFaults) : pick(faults.filter(({ possible }) => possible(machine)));
			await suffer(model, fault, machine);
		}
	});
});

describe('an agent that is killed by SIGKILL', () => {
	it.each(Array.from({ length: runs }, (_, index) => index + 1))(
		'at any moment of a lift leaves what the next one completes: seed %i',
		async (seed) => {
			const random = seeded(seed);
			const machine = model.machines[seed % 2]!;
			model.trace.length = 0;
			if (machine.vmm) await model.stopVmm(machine);
			if (!machine.attached) await model.add(machine);
			await model.settled();
			await model.killAgent();
			const agent = await startAgentCore(node);
			const moment = random() * 60;
			model.trace.push(`SIGKILL ${moment} ms after the start of the VMM of ${machine.containerId}`);
			await model.startVmm(machine);
			await setTimeout(moment);
			await agent.kill();
			model.chatter();
			await model.startAgent();
			await model.settled();
		},
	);
});
