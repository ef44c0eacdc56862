import { afterAll, beforeAll, describe, it } from 'vitest';
import { faults, nodeFaults, prepareFor, suffer } from '../testing/lift-faults.ts';
import { makeNetwork } from '../testing/logical-network.ts';
import { MachineModel } from '../testing/machine-model.ts';
import { type MiniNode, startMiniNode } from '../testing/mini-node.ts';
import { holdTapByQemu } from '../testing/qemu-wire.ts';
import { isVmm } from './vmm.ts';

/** As in lift-faults.integration.test.ts, with a real QEMU at each tap: `LIFT_FAULT_RUNS=5 npm test -- --stage integration lift-qemu`. */
const runs = Number(process.env.LIFT_FAULT_RUNS ?? 1);

let node: MiniNode;
let model: MachineModel;

beforeAll(async () => {
	node = await startMiniNode('qemu');
	makeNetwork(node);
	model = await MachineModel.start(node, { hold: holdTapByQemu, isVmm });
	for (const index of [0, 1]) model.machine(`m${index}`, 16 + index, 1);
});
afterAll(async () => {
	await model?.[Symbol.asyncDispose]();
	await node?.[Symbol.asyncDispose]();
});

describe('QEMU at the tap', () => {
	it.each([...faults, ...nodeFaults])('survives or is replaced: $name', { timeout: runs * 70_000 }, async (fault) => {
		for (let run = 0; run < runs; run++) {
			model.trace.length = 0;
			const machine = model.machines[run % 2]!;
			await prepareFor(model, fault, machine);
			await suffer(model, fault, machine);
		}
	});
});
