import { untilLink } from '@tapestry/linux/testing';
import type { Machine, MachineModel } from './machine-model.ts';

export interface Fault {
	readonly name: string;
	/** Whether it can happen to a machine in its present state. */
	readonly possible: (machine: Machine) => boolean;
	readonly happen: (model: MachineModel, machine: Machine) => Promise<void>;
}

const attached = (machine: Machine) => machine.attached;
const idle = (machine: Machine) => machine.attached && !machine.vmm;
const running = (machine: Machine) => machine.attached && machine.vmm !== undefined && !machine.blind;

async function whileAgentIsDead(model: MachineModel, action: () => unknown): Promise<void> {
	await model.killAgent();
	await action();
	await model.startAgent();
}

/** In the state before them each is possible for some machine; together they reach every state from every other. */
export const faults: readonly Fault[] = [
	{ name: 'attach', possible: (machine) => !machine.attached, happen: (model, machine) => model.add(machine) },
	{ name: 'start VMM', possible: idle, happen: (model, machine) => model.startVmm(machine) },
	{ name: 'kill VMM', possible: (machine) => machine.vmm !== undefined, happen: (model, machine) => model.stopVmm(machine) },
	{ name: 'kill VMM and start it again', possible: running, happen: (model, machine) => model.restartVmm(machine) },
	{
		name: 'kill agent before carrier',
		possible: idle,
		happen: (model, machine) => whileAgentIsDead(model, () => model.startVmm(machine)),
	},
	{
		name: 'kill agent between move and plug',
		possible: idle,
		async happen(model, machine) {
			const moved = untilLink(`/run/netns/${model.node.name}`, machine.device, (link) => link !== undefined);
			await Promise.all([model.startVmm(machine), moved.then(() => model.killAgent())]);
			await model.startAgent();
		},
	},
	{
		name: 'kill agent right after the move',
		possible: idle,
		happen: (model, machine) =>
			whileAgentIsDead(model, async () => {
				await model.startVmm(machine);
				model.moveTap(machine);
			}),
	},
	{
		name: 'kill agent between plug and up',
		possible: idle,
		happen: (model, machine) =>
			whileAgentIsDead(model, async () => {
				await model.startVmm(machine);
				model.moveTap(machine);
				model.plugTap(machine);
			}),
	},
	{ name: 'kill agent', possible: attached, happen: (model) => whileAgentIsDead(model, () => {}) },
	{ name: 'kill agent, then VMM', possible: running, happen: (model, machine) => whileAgentIsDead(model, () => model.stopVmm(machine)) },
	{ name: 'delete tap', possible: attached, happen: async (model, machine) => model.deleteTap(machine) },
	{
		name: 'delete tap while the agent is dead',
		possible: attached,
		happen: (model, machine) => whileAgentIsDead(model, () => model.deleteTap(machine)),
	},
	{ name: 'delete OVS port', possible: running, happen: async (model, { device }) => void model.node.vsctl('del-port', device) },
	{
		name: 'delete OVS port while the agent is dead',
		possible: running,
		happen: (model, { device }) => whileAgentIsDead(model, () => model.node.vsctl('del-port', device)),
	},
	{ name: 'CHECK and GC', possible: attached, happen: (model) => model.inspect() },
	{
		name: 'GC of it',
		possible: attached,
		happen: (model, machine) => model.collect(model.machines.filter((other) => other !== machine && other.attached)),
	},
	{ name: 'DEL', possible: attached, happen: (model, machine) => model.remove(machine, 'sandbox last') },
	{ name: 'DEL after its namespace', possible: attached, happen: (model, machine) => model.remove(machine, 'sandbox first') },
	{ name: 'DEL before its VMM ends', possible: attached, happen: (model, machine) => model.remove(machine, 'VMM last') },
];
/** What happens to the whole node. */
export const nodeFaults: readonly Fault[] = (['ovs-vswitchd', 'ovn-controller'] as const).map((daemon) => ({
	name: `kill ${daemon}`,
	possible: () => true,
	happen: (model) => model.node.restart(daemon),
}));

/** Lets a fault happen to a machine amid its packets; resolves when all is well again, rejects with what is not. */
export async function suffer(model: MachineModel, fault: Fault, machine: Machine): Promise<void> {
	model.trace.push(`${fault.name} of ${machine.containerId}`);
	model.chatter();
	await fault.happen(model, machine);
	model.chatter();
	await model.settled();
}

/** Brings a machine into a state in which a fault is possible. */
export async function prepareFor(model: MachineModel, fault: Fault, machine: Machine): Promise<void> {
	if (machine.blind) await model.stopVmm(machine);
	if (!machine.attached) await model.add(machine);
	if (!fault.possible(machine) && machine.vmm) await model.stopVmm(machine);
	else if (!fault.possible(machine)) await model.startVmm(machine);
	if (!fault.possible(machine)) await model.remove(machine, 'sandbox last');
	if (!fault.possible(machine)) throw new Error(`"${fault.name}" cannot happen to ${machine.containerId}`);
	await model.settled();
}
