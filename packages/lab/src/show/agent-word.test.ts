import { describe, expect, it } from 'vitest';
import { portFaults } from './agent-word.ts';

const ports = [
	{ port: { name: 'a.demo' }, mode: 'veth', path: ['eth0', 'x_h', 'br-int'], connected: true, faults: [] },
	{ port: { name: 'b.demo' }, mode: 'lift', path: ['tap0'], connected: false, faults: ['tap1 is gone'] },
];

describe('portFaults', () => {
	it('are those of the one port', () => {
		expect(portFaults(ports, 'a.demo')).toEqual([]);
		expect(portFaults(ports, 'b.demo')).toEqual(['the agent says that b.demo is not connected', 'tap1 is gone']);
	});

	it('a port that the agent does not know is one', () => {
		expect(portFaults(ports, 'c.demo')).toEqual(['the agent knows no port c.demo']);
	});
});
