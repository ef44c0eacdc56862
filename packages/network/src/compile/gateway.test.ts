import { describe, expect, it } from 'vitest';
import type { SubnetGateway } from '../api/subnet-gateway.ts';
import type { DesiredRow } from '../plan/model.ts';
import type { World } from '../world/world.ts';
import { compile, compileAll } from './compiler.ts';
import { activeGateways } from './gateway.ts';
import { defaultWorld, lease, subnet } from './testing/worlds.ts';

const gateway = (more: object = {}) => ({ kind: 'centralized', nodes: [], selectors: [], isShared: false, ...more }) as const;
const node = (name: string, isReady: boolean, labels = {}) => ({ name, addresses: [], labels, isReady });

describe('activeGateways', () => {
	const nodes = [node('n1', true, { edge: '' }), node('n2', false), node('n3', true, { edge: '' })];

	it.each([
		['the first by name of the list', gateway({ nodes: ['n3', 'n1'] }), ['n3']],
		['the first that is ready', gateway({ nodes: ['n2', 'n1'] }), ['n1']],
		['the one there is, ready or not', gateway({ nodes: ['n2'] }), ['n2']],
		['all that are ready', gateway({ nodes: ['n3', 'n2', 'n1'], isShared: true }), ['n1', 'n3']],
		['by label', gateway({ selectors: [{ matchLabels: { edge: '' } }] }), ['n1']],
		['named before labelled', gateway({ nodes: ['n3'], selectors: [{ matchLabels: { edge: '' } }] }), ['n3']],
		['nobody', gateway({ nodes: ['n9'] }), []],
	])('%s', (_, wanted, expected) => {
		expect(activeGateways(wanted, nodes)).toEqual(expected);
	});
});

describe('a centralized subnet', () => {
	const rows = (world: World): DesiredRow[] => [...compileAll(world).values()].flatMap((fragment) => fragment.rows);
	const way = (world: World) =>
		rows(world).flatMap(({ columns }) => (columns.priority === 29_100 ? `${columns.match} ${columns.action} ${columns.nexthops}` : []));
	const central = (wanted: SubnetGateway) => {
		const world = defaultWorld(3);
		const blocks = [{ family: 4, cidr: '10.20.0.0/16', prefix: 16, gateway: '10.20.0.1' }] as const;
		world.set('Subnet', 'c', subnet('c', { blocks, gateway: wanted }));
		return world;
	};

	it('leaves through its gateway, and by no other way', () => {
		const world = central(gateway({ nodes: ['n2'] }));
		expect(way(world)).toEqual(['ip4.src == 10.20.0.0/16 reroute 100.64.0.3']);
		const set = rows(world).find(({ table, columns }) => table === 'Address_Set' && columns.name === 'tapestry.egress.v4');
		expect(set?.columns.addresses).toEqual(['10.16.0.0/16']);
	});

	it('moves with the readiness of nodes, and shares where it says so', () => {
		const world = central(gateway({ nodes: ['n2', 'n3'] }));
		world.set('Node', 'n2', node('n2', false));
		expect(way(world)).toEqual(['ip4.src == 10.20.0.0/16 reroute 100.64.0.4']);
		expect(way(central(gateway({ nodes: ['n2', 'n3'], isShared: true })))).toEqual([
			'ip4.src == 10.20.0.0/16 reroute 100.64.0.3,100.64.0.4',
		]);
	});

	it('keeps its packets when there is no gateway', () => {
		expect(way(central(gateway({ nodes: ['n9'] })))).toEqual(['ip4.src == 10.20.0.0/16 drop ']);
	});
});

it('grows with nodes plus subnets, never with their product', () => {
	const count = (nodes: number, subnets: number) => {
		const world = defaultWorld(nodes);
		for (let i = 0; i < subnets; i++) {
			const blocks = [{ family: 4, cidr: `10.${100 + i}.0.0/16`, prefix: 16, gateway: `10.${100 + i}.0.1` }] as const;
			const wanted = i % 2 === 0 ? ({ kind: 'distributed' } as const) : gateway({ selectors: [{}], isShared: true });
			world.set('Subnet', `s${i}`, subnet(`s${i}`, { blocks, gateway: wanted }));
		}
		const all = rowsOf(world);
		return { all: all.length, listed: all.reduce((sum, row) => sum + row.listedIn.length, 0) };
	};
	const [few, many] = [count(10, 100), count(100, 100)];
	// Ninety more nodes: the same rows for each of them, whatever the number of subnets.
	expect(many.all - few.all).toBe(count(100, 1).all - count(10, 1).all);
	expect(many.listed - few.listed).toBe(count(100, 1).listed - count(10, 1).listed);
	expect(many.all).toBeLessThan(100 * 8 + 100 * 8);
});

function rowsOf(world: World): DesiredRow[] {
	const read = world.reader(() => {});
	const kinds = ['Vpc', 'Subnet', 'IP', 'Node'] as const;
	return kinds.flatMap((kind) => [...world.keys(kind)].flatMap((key) => compile(kind, key, read).rows));
}

it('compiles a centralized subnet again only when a node or its lease changes', () => {
	const world = defaultWorld(2);
	const blocks = [{ family: 4, cidr: '10.20.0.0/16', prefix: 16, gateway: '10.20.0.1' }] as const;
	world.set('Subnet', 'c', subnet('c', { blocks, gateway: gateway({ nodes: ['n1'] }) }));
	const asked = new Set<string>();
	compile(
		'Subnet',
		'c',
		world.reader((question) => asked.add(question)),
	);
	expect([...asked].filter((question) => question.startsWith('IP/'))).toEqual(['IP/node-n1']);
	world.set('IP', 'web.default', lease('web.default'));
	expect(asked).not.toContain('IP/web.default');
});
