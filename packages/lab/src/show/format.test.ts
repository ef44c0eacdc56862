import { describe, expect, it } from 'vitest';
import { formatPortPath } from './format.ts';

const path = {
	workload: 'vm/a',
	namespace: 'demo',
	node: 'n2',
	hops: [
		{ kind: 'guest', name: '', facts: {}, trouble: 'it does not answer' },
		{ kind: 'tap', name: 'tap1', facts: { mtu: 1442, carrier: true, multiQueue: false, user: undefined } },
		{
			kind: 'logical port',
			name: 'a.demo',
			facts: { addresses: ['m 1.2.3.4', 'm 1.2.3.5'], dhcpv4: { mtu: '1442', router: '1.2.3.1' }, none: [] },
		},
	],
	faults: [],
};

describe('formatPortPath', () => {
	it('has a line for each hop, workload first, and one for each known fact', () => {
		expect(formatPortPath(path).split('\n')).toEqual([
			'vm/a in namespace demo, on node n2',
			'',
			'   guest',
			'       not read           it does not answer',
			'<- tap tap1',
			'       mtu                1442',
			'       carrier            yes',
			'       multiQueue         no',
			'<- logical port a.demo',
			'       addresses          m 1.2.3.4  m 1.2.3.5',
			'       dhcpv4             mtu=1442  router=1.2.3.1',
			'',
			'no faults',
		]);
	});

	it('ends with the faults', () => {
		expect(formatPortPath({ ...path, faults: ['one', 'two'] })).toMatch(/\n\nFAULT one\nFAULT two$/);
	});
});
