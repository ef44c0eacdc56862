import { describe, expect, it } from 'vitest';
import { labLayout } from './layout.ts';

describe('labLayout', () => {
	it('derives all names from the id', () => {
		const layout = labLayout('lab');
		expect(layout.node('n1')).toMatchObject({ netns: 'tp-lab-n1', ovsdb: '/var/lib/tapestry/lab/n1/ovs/db.sock' });
	});

	it.each(['', 'A', '1a', 'toolongname', '../up', 'a b'])('refuses %j', (id) => {
		expect(() => labLayout(id)).toThrow(expect.objectContaining({ code: 'LAB_ID' }));
	});
});
