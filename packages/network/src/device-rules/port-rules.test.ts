import { describe, expect, it } from 'vitest';
import type { Tables } from '../plan/index.ts';
import { parsePortRules, readPortRules } from './port-rules.ts';

const row = (columns: object) => columns as never;
const tables: Tables = {
	Logical_Switch: new Map([['s1', row({ name: 'net', ports: ['p1', 'p2'], acls: ['a3'] })]]),
	Logical_Switch_Port: new Map([
		[
			'p1',
			row({ name: 'vm.ns', addresses: ['02:00:00:00:00:01 10.1.0.5 fd00::5'], port_security: ['02:00:00:00:00:01 10.1.0.5 fd00::5'] }),
		],
		['p2', row({ name: 'other.ns', addresses: ['02:00:00:00:00:02 10.1.0.6 fd00::6', 'unknown'], port_security: [] })],
	]),
	Port_Group: new Map([
		['g1', row({ name: 'one', ports: ['p1'], acls: ['a1', 'a2'] })],
		['g2', row({ name: 'peers', ports: ['p2'], acls: ['a4'] })],
	]),
	Address_Set: new Map([['t1', row({ name: 'own', addresses: ['10.9.0.0/16'] })]]),
	ACL: new Map([
		[
			'a1',
			row({
				...{
					direction: 'to-lport',
					priority: 2001,
					match: 'outport == @one && ip4.src == {$peers_ip4, $own, $none}',
					action: 'allow-related',
				},
				options: { 'apply-after-lb': 'true' },
				external_ids: { 'tapestry-by': 'NetworkPolicy/ns/p', path: 'spec.ingress[0]' },
			}),
		],
		['a2', row({ direction: 'from-lport', priority: 2001, match: 'inport == @one && ip', action: 'drop' })],
		['a3', row({ direction: 'to-lport', priority: 3000, match: 'tcp', action: 'drop', external_ids: {} })],
		['a4', row({ direction: 'to-lport', priority: 9, match: 'udp', action: 'drop', external_ids: {} })],
	]),
};

describe('readPortRules', () => {
	it('has what the switch asks about a port, of groups and of the switch itself, with the sets that it names', () => {
		expect(readPortRules(tables, 'vm.ns')).toEqual({
			port: 'vm.ns',
			security: ['02:00:00:00:00:01 10.1.0.5 fd00::5'],
			groups: ['one'],
			sets: { own: ['10.9.0.0/16'], peers_ip4: ['10.1.0.6'] },
			acls: [
				{ direction: 'to-lport', priority: 3000, match: 'tcp', action: 'drop', isLate: false, by: '', path: '' },
				{ direction: 'from-lport', priority: 2001, match: 'inport == @one && ip', action: 'drop', isLate: false, by: '', path: '' },
				{
					...{ direction: 'to-lport', priority: 2001, match: 'outport == @one && ip4.src == {$peers_ip4, $own, $none}' },
					...{ action: 'allow-related', isLate: true, by: 'NetworkPolicy/ns/p', path: 'spec.ingress[0]' },
				},
			],
		});
		expect(readPortRules(tables, 'nobody.ns')).toBeUndefined();
	});

	it('survives the way as text', () => {
		const rules = readPortRules(tables, 'vm.ns');
		expect(parsePortRules(JSON.stringify(rules))).toEqual(rules);
		for (const text of ['', 'null', '[]', '{}', '{"port":"a","security":[],"groups":[],"acls":[{}],"sets":{}}', '{"port":1}']) {
			expect(parsePortRules(text)).toBeUndefined();
		}
	});
});
