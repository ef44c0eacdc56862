import { join } from 'node:path';
import { type PortTraffic, rateLimits } from '@tapestry/network';
import type { Port } from '../port.ts';
import { type MiniNode, nodeProgram, runIn } from './mini-node.ts';

/**
 * Gives a port the limits that the compiler would, in place of those that it has, and waits until its node has them. Every limit begins with a full bucket.
 */
export function setLimits(node: MiniNode, port: Port, limits: Partial<Pick<PortTraffic, 'ingress' | 'egress'>>): void {
	const { name, subnet, ownerUid } = port;
	const rows = rateLimits({ name, subnet, ownerUid, limits: { ingress: limits.ingress, egress: limits.egress } });
	const added = rows.flatMap(({ columns: { direction, priority, match, bandwidth } }) => {
		const amounts = Object.entries(bandwidth as Readonly<Record<string, number>>).map(([key, value]) => `${key}=${value}`);
		return ['--', 'qos-add', subnet, String(direction), String(priority), String(match), ...amounts];
	});
	node.nbctl('--wait=hv', '--', 'qos-del', subnet, ...added);
	node.revalidate();
	// Of flows that overlap, Open vSwitch 3.1.0 may keep one as it was.
	node.purge();
}

/** Sends datagrams from a namespace, to each of the addresses in turn, and takes no answers. */
export function blast(path: string, addresses: readonly string[], port: number, count: number, bytes: number): void {
	const program = nodeProgram(join(import.meta.dirname, 'blast-program.ts'));
	const { status, stderr } = runIn(path, [...program, String(port), String(count), String(bytes), ...addresses]);
	if (status !== 0) throw new Error(`no datagrams were sent: ${stderr}`);
}

/** How many datagrams have reached a machine, whether or not a program took them, by its /proc/net/snmp and snmp6 one after the other. */
export function arrivedDatagrams(text: string): number {
	const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
	const [names = [], values = []] = lines.filter(([first]) => first === 'Udp:');
	const counters = new Map([
		...names.map((name, index) => [`Udp${name}`, Number(values[index])] as const),
		...lines.flatMap(([name = '', value]) => (name.startsWith('Udp6') ? [[name, Number(value)] as const] : [])),
	]);
	const counted = ['Udp', 'Udp6'].flatMap((family) =>
		['InDatagrams', 'NoPorts', 'InErrors'].map((name) => counters.get(family + name) ?? 0),
	);
	return counted.reduce((sum, value) => sum + value, 0);
}

/** What a device has received, by /proc/net/dev. */
export function receivedBytes(text: string, device: string): number {
	const line = text.split('\n').find((other) => other.trim().startsWith(`${device}:`)) ?? '';
	return Number(line.trim().split(/[\s:]+/)[1]);
}
