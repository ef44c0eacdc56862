import { describe, expect, it } from 'vitest';
import { vipProblems, vipSelector } from '../api/read-vip.ts';
import type { DesiredRow } from '../plan/model.ts';
import type { VipFacts } from '../world/objects.ts';
import type { World } from '../world/world.ts';
import { compileAll } from './compiler.ts';
import { defaultWorld, lease } from './testing/worlds.ts';

const vip = (more: Partial<VipFacts> = {}): VipFacts => ({
	name: 'shared',
	lease: 'vip-shared',
	subnet: 'ovn-default',
	namespace: '',
	selector: {},
	type: '',
	v4: '10.16.0.50',
	v6: 'fd00:10:16::50',
	mac: '02:58:0a:10:00:32',
	...more,
});

function ports(world: World): DesiredRow[] {
	const rows = [...compileAll(world).values()].flatMap((fragment) => fragment.rows);
	return rows.filter(({ table }) => table === 'Logical_Switch_Port');
}

function shared(facts: VipFacts) {
	const world = defaultWorld();
	world.set('Vip', facts.lease, facts);
	world.set('IP', 'b.shop', lease('b.shop', { namespace: 'shop', vips: ['shared'], labels: { app: 'db' } }));
	world.set(
		'IP',
		'a.shop',
		lease('a.shop', { namespace: 'shop', vips: ['shared'], labels: { app: 'db' }, v4: '10.16.0.3', v6: undefined }),
	);
	world.set('IP', 'c.other', lease('c.other', { namespace: 'other', v4: '10.16.0.4', v6: undefined }));
	const all = ports(world);
	const columns = (name: string) => all.find((row) => row.columns.name === name)?.columns;
	return { parents: (columns('vip-shared')?.options as Record<string, string> | undefined)?.['virtual-parents'], columns };
}

describe('a Vip', () => {
	it('is a virtual port of each family, of those who ask for it', () => {
		const { columns } = shared(vip());
		const options = (ip: string) => ({ 'virtual-ip': ip, 'virtual-parents': 'a.shop,b.shop' });
		expect(columns('vip-shared')).toMatchObject({ type: 'virtual', options: options('10.16.0.50') });
		expect(columns('vip-shared.v6')).toMatchObject({ type: 'virtual', options: options('fd00:10:16::50') });
	});

	it('opens the ports of those who may use it for its addresses, and no others', () => {
		const { columns } = shared(vip({ v6: undefined }));
		expect(columns('a.shop')?.port_security).toEqual(['02:58:0A:10:00:02 10.16.0.3 10.16.0.50']);
		expect(columns('a.shop')?.addresses).toEqual(['02:58:0A:10:00:02 10.16.0.3']);
		expect(columns('c.other')?.port_security).toEqual(['02:58:0A:10:00:02 10.16.0.4']);
	});

	it.each<[string, Partial<VipFacts>, string | undefined]>([
		['of its namespace', { namespace: 'shop' }, 'a.shop,b.shop'],
		['of another namespace', { namespace: 'other' }, undefined],
		['with its labels', { selector: { app: 'db' } }, 'a.shop,b.shop'],
		['with other labels', { selector: { app: 'web' } }, undefined],
		['of another subnet', { subnet: 'elsewhere' }, undefined],
		['of a balancer', { type: 'switch_lb_vip' }, undefined],
	])('is for pods %s', (_, more, expected) => {
		expect(shared(vip(more)).parents).toBe(expected);
	});

	it('of a balancer is answered for by the router', () => {
		const { columns } = shared(vip({ type: 'switch_lb_vip' }));
		expect(columns('ovn-default-ovn-cluster')?.options).toMatchObject({ arp_proxy: '10.16.0.50' });
		expect(columns('a.shop')?.port_security).toEqual(['02:58:0A:10:00:02 10.16.0.3']);
	});

	it('of a machine outside of the cluster is a port of its own', () => {
		const { columns } = shared(vip({ type: 'kube_host_vm_vip' }));
		expect(columns('vip-shared')).toMatchObject({ type: '', addresses: ['02:58:0A:10:00:32 10.16.0.50 fd00:10:16::50'] });
	});
});

describe('what a user writes of a Vip', () => {
	it.each([
		[{}, []],
		[{ v4ip: '10.16.0.9', v6ip: 'fd00::9', macAddress: '02:00:00:00:00:09', selector: ['app: db'], type: 'switch_lb_vip' }, []],
		[{ v4ip: 'fd00::9' }, ['spec.v4ip']],
		[{ v6ip: 'junk', macAddress: 'junk' }, ['spec.v6ip', 'spec.macAddress']],
		[{ type: 'wibble', selector: ['app'] }, ['spec.type', 'spec.selector[0]']],
	])('%j', (spec, fields) => {
		expect(vipProblems({ metadata: { name: 'v' }, spec }).map(({ field }) => field)).toEqual(fields);
	});

	it('has labels with a colon between key and value', () => {
		expect(vipSelector({ metadata: { name: 'v' }, spec: { selector: ['app: db', 'a/b:c'] } })).toEqual({ app: 'db', 'a/b': 'c' });
	});
});
