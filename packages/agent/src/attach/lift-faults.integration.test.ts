import { untilLink } from '@tapestry/linux/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNetwork } from '../testing/logical-network.ts';
import { type Machine, MachineModel } from '../testing/machine-model.ts';
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

interface Fault {
	readonly name: string;
	/** Whether it can happen to a machine in its present state. */
	readonly possible: (machine: Machine) => boolean;
	readonly happen: (machine: Machine) => Promise<void>;
}

const attached = (machine: Machine) => machine.attached;
const idle = (machine: Machine) => machine.attached && !machine.vmm;
const running = (machine: Machine) => machine.attached && machine.vmm !== undefined && !machine.blind;

async function whileAgentIsDead(action: () => unknown): Promise<void> {
	await model.killAgent();
	await action();
	await model.startAgent();
}

/** In the state before them each is possible for some machine; together they reach every state from every other. */
const faults: readonly Fault[] = [
	{ name: 'attach', possible: (machine) => !machine.attached, happen: (machine) => model.add(machine) },
	{ name: 'start VMM', possible: idle, happen: (machine) => model.startVmm(machine) },
	{ name: 'kill VMM', possible: (machine) => machine.vmm !== undefined, happen: (machine) => model.stopVmm(machine) },
	{ name: 'kill VMM and start it again', possible: running, happen: (machine) => model.restartVmm(machine) },
	{
		name: 'kill agent before carrier',
		possible: idle,
		happen: (machine) => whileAgentIsDead(() => model.startVmm(machine)),
	},
	{
		name: 'kill agent between move and plug',
		possible: idle,
		async happen(machine) {
			const moved = untilLink(`/run/netns/${node.name}`, machine.device, (link) => link !== undefined);
			await Promise.all([model.startVmm(machine), moved.then(() => model.killAgent())]);
			await model.startAgent();
		},
	},
	{
		name: 'kill agent right after the move',
		possible: idle,
		happen: (machine) =>
			whileAgentIsDead(async () => {
				await model.startVmm(machine);
				model.moveTap(machine);
			}),
	},
	{
		name: 'kill agent between plug and up',
		possible: idle,
		happen: (machine) =>
			whileAgentIsDead(async () => {
				await model.startVmm(machine);
				model.moveTap(machine);
				model.plugTap(machine);
			}),
	},
	{ name: 'kill agent', possible: attached, happen: () => whileAgentIsDead(() => {}) },
	{ name: 'kill agent, then VMM', possible: running, happen: (machine) => whileAgentIsDead(() => model.stopVmm(machine)) },
	{ name: 'delete tap', possible: attached, happen: async (machine) => model.deleteTap(machine) },
	{ name: 'delete tap while the agent is dead', possible: attached, happen: (machine) => whileAgentIsDead(() => model.deleteTap(machine)) },
	{ name: 'delete OVS port', possible: running, happen: async ({ device }) => void node.vsctl('del-port', device) },
	{
		name: 'delete OVS port while the agent is dead',
		possible: running,
		happen: ({ device }) => whileAgentIsDead(() => node.vsctl('del-port', device)),
	},
	{ name: 'CHECK and GC', possible: attached, happen: () => model.inspect() },
	{
		name: 'GC of it',
		possible: attached,
		happen: (machine) => model.collect(model.machines.filter((other) => other !== machine && other.attached)),
	},
	{ name: 'DEL', possible: attached, happen: (machine) => model.remove(machine, 'sandbox last') },
	{ name: 'DEL after its namespace', possible: attached, happen: (machine) => model.remove(machine, 'sandbox first') },
	{ name: 'DEL before its VMM ends', possible: attached, happen: (machine) => model.remove(machine, 'VMM last') },
];
const rare: readonly Fault[] = (['ovs-vswitchd', 'ovn-controller'] as const).map((daemon) => ({
	name: `kill ${daemon}`,
	possible: () => true,
	happen: () => node.restart(daemon),
}));

async function suffer(fault: Fault, machine: Machine): Promise<void> {
	model.trace.push(`${fault.name} of ${machine.containerId}`);
	model.chatter();
	await fault.happen(machine);
	model.chatter();
	await model.settled();
}

/** Brings a machine into a state in which a fault is possible. */
async function prepareFor(fault: Fault, machine: Machine): Promise<void> {
	if (machine.blind) await model.stopVmm(machine);
	if (!machine.attached) await model.add(machine);
	if (!fault.possible(machine) && machine.vmm) await model.stopVmm(machine);
	else if (!fault.possible(machine)) await model.startVmm(machine);
	if (!fault.possible(machine)) await model.remove(machine, 'sandbox last');
	expect(fault.possible(machine)).toBe(true);
	await model.settled();
}

describe.each(faults)('$name', (fault) => {
	it('loses no port, leaves no tap and lets no packet past OVN, with one queue and with four', { timeout: runs * 20_000 }, async () => {
		for (let run = 0; run < runs; run++) {
			model.trace.length = 0;
			const machine = model.machines[run % 2]!;
			await prepareFor(fault, machine);
			await suffer(fault, machine);
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
			const fault = random() < 0.05 ? pick(rare) : pick(faults.filter(({ possible }) => possible(machine)));
			await suffer(fault, machine);
		}
	});
});
