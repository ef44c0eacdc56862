import { annotations } from '../api/names.ts';
import type { Reason } from './answer.ts';
import { type Fault, nameOf, type Setting } from './denial.ts';
import type { SwitchPort } from './logical-network.ts';

export interface Trouble extends Fault {
	readonly reason: Reason;
	readonly summary: string;
}

/** What keeps a packet from a place that the logical network would take it to: a node or port that is down, or too small an MTU. */
export function troubleOf(setting: Setting, from: SwitchPort, to: SwitchPort | undefined): Trouble | undefined {
	const { question } = setting;
	const target = question.to.kind === 'workload' && to?.name === question.to.port ? question.to.object : to?.origin?.object;
	const ends = [{ port: from, object: question.from.object }, ...(to ? [{ port: to, object: target ?? to.name }] : [])];
	for (const { port, object } of ends) {
		const found = nodeTrouble(setting, port, object) ?? pastTrouble(setting, port, object) ?? portTrouble(port, object);
		if (found) return found;
	}
	return to && mtuTrouble(setting, from, to);
}

function nodeTrouble({ observed }: Setting, port: SwitchPort, object: string): Trouble | undefined {
	const node = observed.nodes.get(port.node);
	if (!node || node.isReady) return undefined;
	return {
		reason: 'node-down',
		summary: `denied: ${nameOf(object)} is on node ${port.node}, which is not Ready${node.trouble ? `: ${node.trouble}` : ''}`,
		object: `Node/${port.node}`,
		path: 'status.conditions',
		fix: `see \`kubectl describe node ${port.node}\``,
	};
}

function pastTrouble({ observed }: Setting, port: SwitchPort, object: string): Trouble | undefined {
	if (!observed.pastSwitch.has(port.name)) return undefined;
	return {
		reason: 'past-switch',
		summary: `denied: ${nameOf(object)} is on a NIC of its node, past the switch, where only the network of that NIC leads`,
		object,
		path: `metadata.annotations[${annotations.macvtapParent}]`,
		fix: 'ask that network, or connect the machine in another mode',
	};
}

function portTrouble(port: SwitchPort, object: string): Trouble | undefined {
	if (port.isUp !== false) return undefined;
	return {
		reason: 'port-down',
		summary: `denied: the port of ${nameOf(object)} is not plugged in${port.node === '' ? ', because it has no node yet' : ` on node ${port.node}`}`,
		object,
		path: 'status',
		fix: 'see whether it runs, and follow its port: tapestry show port',
	};
}

/** Only a packet whose size is asked for can be too large. */
function mtuTrouble({ network, question, observed }: Setting, from: SwitchPort, to: SwitchPort): Trouble | undefined {
	const { size } = question;
	if (size === undefined) return undefined;
	for (const port of [from, to]) {
		const subnet = network.switch(port.switch)?.name ?? '';
		const mtu = observed.mtus.get(subnet);
		if (mtu !== undefined && size > mtu) return tooLarge(size, `Subnet/${subnet}`, `the MTU ${mtu} of subnet ${subnet}`);
	}
	const { betweenNodes } = observed;
	if (betweenNodes === undefined || size <= betweenNodes || from.node === to.node) return undefined;
	const subnet = network.switch(from.switch)?.name ?? '';
	return tooLarge(size, `Subnet/${subnet}`, `the ${betweenNodes} bytes that fit between nodes after encapsulation`);
}

/** Packets that pass because they are small: a sender with too large an MTU sends others too. */
export function mtuNotes({ network, observed }: Setting, from: SwitchPort, to: SwitchPort): readonly string[] {
	const { mtus, betweenNodes } = observed;
	const subnetOf = (port: SwitchPort) => network.switch(port.switch)?.name ?? '';
	const [mine, theirs] = [from, to].map((port) => mtus.get(subnetOf(port)) ?? betweenNodes);
	const limits = [theirs, from.node === to.node ? undefined : betweenNodes].filter((limit) => limit !== undefined);
	const least = Math.min(...limits);
	if (mine === undefined || mine <= least) return [];
	return [`packets of more than ${least} bytes do not pass, but Subnet ${subnetOf(from)} has the MTU ${mine} (spec.mtu)`];
}

function tooLarge(size: number, object: string, limit: string): Trouble {
	return {
		reason: 'mtu',
		summary: `denied: ${size} bytes are more than ${limit}`,
		object,
		path: 'spec.mtu',
		fix: `set spec.mtu of ${nameOf(object)} to what both ends and the nodes' network carry`,
	};
}
