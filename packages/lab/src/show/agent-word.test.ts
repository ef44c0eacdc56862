import { describe, expect, it } from 'vitest';
import { nicOfNode, portFaults } from './agent-word.ts';

const ports = [
	{ port: { name: 'a.demo' }, mode: 'veth', path: ['eth0', 'x_h', 'br-int'], connected: true, faults: [] },
	{ port: { name: 'b.demo' }, mode: 'lift', path: ['tap0'], connected: false, faults: ['tap1 is gone'] },
];

it('knows the NIC of a port that is past the switch', () => {
	const macvtap = (path: readonly string[]) => ({ port: { name: 'm.demo' }, mode: 'macvtap', path, connected: true, faults: [] });
	expect(nicOfNode(macvtap(['tap0', 'eth1']), 'br-int')).toBe('eth1');
	for (const port of [macvtap(['tap0', 'eth0-nic', 'x_h', 'br-int']), ...ports, undefined])
		expect(nicOfNode(port, 'br-int')).toBeUndefined();
});

describe('portFaults', () => {
	it('are those of the one port', () => {
		expect(portFaults(ports, 'a.demo')).toEqual([]);
		expect(portFaults(ports, 'b.demo')).toEqual(['the agent says that b.demo is not connected', 'tap1 is gone']);
	});

	it('a port that the agent does not know is one', () => {
		expect(portFaults(ports, 'c.demo')).toEqual(['the agent knows no port c.demo']);
	});
});
