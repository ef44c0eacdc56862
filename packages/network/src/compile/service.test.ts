import { describe, expect, it } from 'vitest';
import type { MemoryDatabase } from '../plan/testing/memory-database.ts';
import { follow, rows } from './testing/follow.ts';
import { defaultWorld, lease, port, service, slice, subnet, vpc } from './testing/worlds.ts';

const vips = (database: MemoryDatabase) =>
	Object.assign({}, ...rows(database, 'Load_Balancer').map((row) => row.vips)) as Record<string, string>;

/** The switches at which the balancer of the service is. */
function switchesOf(database: MemoryDatabase, name: string): unknown[] {
	const balancer = rows(database, 'Load_Balancer').find((row) => row.name === `service/default/${name}/tcp`);
	const groups = rows(database, 'Load_Balancer_Group').filter((row) => (row.load_balancer as unknown[]).includes(balancer?._uuid));
	const switches = rows(database, 'Logical_Switch').filter((row) =>
		groups.some((group) => (row.load_balancer_group as unknown[]).includes(group._uuid)),
	);
	return switches.map((row) => row.name).sort();
}

describe('a service', () => {
	it('balances its addresses over its ready endpoints of the same family', () => {
		const world = defaultWorld();
		world.set('Service', 'default/web', service('web', { clusterIps: ['10.96.0.1', 'fd00:10:96::1'], ports: [port(443)] }));
		world.set('EndpointSlice', 'default/a', slice('web', 4, ['10.16.0.2', '!10.16.0.3']));
		world.set('EndpointSlice', 'default/b', slice('web', 6, ['fd00:10:16::2']));
		const { database, update } = follow(world);
		expect(vips(database)).toEqual({ '10.96.0.1:443': '10.16.0.2:8080', '[fd00:10:96::1]:443': '[fd00:10:16::2]:8080' });
		expect(switchesOf(database, 'web')).toEqual(['ovn-default']);
		world.set('EndpointSlice', 'default/a', undefined);
		expect(update()).toEqual(['Service/default/web']);
		expect(vips(database)).toEqual({ '10.96.0.1:443': '', '[fd00:10:96::1]:443': '[fd00:10:16::2]:8080' });
	});

	it('is reached at its outer addresses too, by pods at any endpoint', () => {
		const world = defaultWorld();
		const facts = {
			clusterIps: ['10.96.0.1'],
			externalIps: ['192.0.2.8'],
			ports: [port(80, { nodePort: 30080 })],
			external: 'Local' as const,
		};
		world.set('Service', 'default/web', service('web', facts));
		world.set('EndpointSlice', 'default/a', slice('web', 4, ['10.16.0.2']));
		expect(vips(follow(world).database)).toEqual({ '10.96.0.1:80': '10.16.0.2:8080', '192.0.2.8:80': '10.16.0.2:8080' });
	});

	it('leaves cluster IPs with endpoints of the own node to the nodes', () => {
		const world = defaultWorld();
		world.set('Service', 'default/web', service('web', { clusterIps: ['10.96.0.1'], ports: [port(80)], internal: 'Local' }));
		const { database, update } = follow(world);
		expect(rows(database, 'Load_Balancer')).toEqual([]);
		world.set(
			'Service',
			'default/web',
			service('web', { clusterIps: ['10.96.0.1'], externalIps: ['192.0.2.8'], ports: [port(80)], internal: 'Local' }),
		);
		update();
		expect(vips(database)).toEqual({ '192.0.2.8:80': '' });
	});

	it('serves in the VPC of its pods, whatever their addresses, or in the one that it was given', () => {
		const world = defaultWorld();
		const blocks = [{ family: 4, cidr: '10.16.0.0/16', prefix: 16, gateway: '10.16.0.1' }] as const;
		world.set('Vpc', 'blue', vpc('blue'));
		world.set('Subnet', 'net1', subnet('net1', { vpc: 'blue', blocks }));
		world.set('IP', 'a.default', lease('a.default', { subnet: 'net1', v6: undefined }));
		world.set('IP', 'a.other', lease('a.other', { namespace: 'other' }));
		for (const name of ['web', 'given']) world.set('EndpointSlice', `default/${name}`, slice(name, 4, ['10.16.0.2']));
		world.set('Service', 'default/web', service('web', { clusterIps: ['10.96.0.1'], ports: [port(80)], internal: 'Local' }));
		world.set('Service', 'default/given', service('given', { clusterIps: ['10.96.0.2'], ports: [port(80)], vpc: 'ovn-cluster' }));
		const { database, update } = follow(world);
		expect(switchesOf(database, 'web')).toEqual(['net1']);
		expect(switchesOf(database, 'given')).toEqual(['ovn-default']);
		world.set('IP', 'a.default', lease('a.default'));
		update();
		world.set('Service', 'default/web', service('web', { clusterIps: ['10.96.0.1'], ports: [port(80)] }));
		update();
		expect(switchesOf(database, 'web')).toEqual(['ovn-default']);
	});

	it('costs a row and a member of a group, however many subnets and nodes there are', () => {
		const size = (subnets: number, nodes: number, services: number): number => {
			const world = defaultWorld(nodes);
			for (let i = 0; i < subnets; i++) {
				const blocks = [{ family: 4, cidr: `10.${20 + i}.0.0/16`, prefix: 16, gateway: `10.${20 + i}.0.1` }] as const;
				world.set('Subnet', `s${i}`, subnet(`s${i}`, { blocks }));
			}
			for (let i = 0; i < services; i++) {
				const ports = [port(80, { nodePort: 30_000 + i })];
				world.set('Service', `default/s${i}`, service(`s${i}`, { clusterIps: [`10.96.1.${i}`], ports, external: 'Local' }));
				world.set('EndpointSlice', `default/s${i}`, slice(`s${i}`, 4, ['10.16.0.2']));
			}
			const { database } = follow(world);
			// Rows, members of sets and entries of maps.
			const sizeOf = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 1);
			const tables = Object.values(database.tables).flatMap((table) => [...(table?.values() ?? [])]);
			return tables.flatMap((row) => Object.values(row).map(sizeOf)).reduce((sum, one) => sum + one, 0);
		};
		const perService = (subnets: number, nodes: number): number => size(subnets, nodes, 20) - size(subnets, nodes, 19);
		expect(perService(1, 1)).toBe(perService(30, 9));
	});

	it('keeps a client at one endpoint when it asks for that', () => {
		const world = defaultWorld();
		world.set('Service', 'default/web', service('web', { clusterIps: ['10.96.0.1'], ports: [port(80)], isSticky: true }));
		expect(rows(follow(world).database, 'Load_Balancer').map((row) => row.selection_fields)).toEqual([['ip_src', 'ip_dst']]);
	});
});

describe('a SwitchLBRule', () => {
	const facts = { name: 'r', namespace: 'default', isSticky: false, endpoints: [], subnets: [], healthSource: undefined } as const;
	const ports = [{ ...port(80, { name: 'http' }), target: 8080 }];

	it('balances over the pods of its Service, in their VPC', () => {
		const world = defaultWorld();
		world.set('Vpc', 'blue', vpc('blue'));
		world.set('Subnet', 'net1', subnet('net1', { vpc: 'blue' }));
		world.set('IP', 'a.default', lease('a.default', { subnet: 'net1' }));
		world.set('SwitchLBRule', 'r', { ...facts, vips: ['192.0.2.9', 'fd00:192::9'], ports });
		world.set('EndpointSlice', 'default/r', slice('slr-r', 4, ['10.16.0.2'], { ports: { http: 8080 } }));
		const { database } = follow(world);
		expect(vips(database)).toEqual({ '192.0.2.9:80': '10.16.0.2:8080', '[fd00:192::9]:80': '' });
		const blue = rows(database, 'Logical_Switch').find((row) => row.name === 'net1')?.load_balancer_group;
		const groups = rows(database, 'Load_Balancer_Group').filter((row) => (row.load_balancer as unknown[]).length > 0);
		expect(groups.map((row) => row._uuid)).toEqual(blue);
	});

	it('balances over the addresses that it lists, and has the router answer for an address on the switch', () => {
		const world = defaultWorld();
		world.set('SwitchLBRule', 'r', {
			...facts,
			vips: ['10.16.0.9'],
			ports,
			endpoints: ['10.16.0.3', 'fd00:10:16::3'],
			subnets: ['ovn-default'],
		});
		const { database, update } = follow(world);
		expect(vips(database)).toEqual({ '10.16.0.9:80': '10.16.0.3:8080' });
		const options = () => rows(database, 'Logical_Switch_Port').find((row) => row.name === 'ovn-default-ovn-cluster')?.options;
		expect(options()).toMatchObject({ arp_proxy: '10.16.0.9' });
		world.set('SwitchLBRule', 'r', undefined);
		update();
		expect(options()).toEqual({ 'router-port': 'ovn-cluster-ovn-default' });
		expect(rows(database, 'Load_Balancer')).toEqual([]);
	});

	it('has OVN ask the endpoints on the subnet of the source', () => {
		const world = defaultWorld();
		world.set('IP', 'a.default', lease('a.default'));
		world.set('IP', 'b.default', lease('b.default', { v4: '10.17.0.2', subnet: 'elsewhere' }));
		const endpoints = ['10.16.0.2', '10.17.0.2'];
		world.set('SwitchLBRule', 'r', { ...facts, vips: ['192.0.2.9', 'fd00:192::9'], ports, endpoints, healthSource: '10.16.0.250' });
		const { database, update } = follow(world);
		const [check, ...others] = rows(database, 'Load_Balancer_Health_Check');
		expect([check?.vip, others]).toEqual(['192.0.2.9:80', []]);
		const balancer = () => rows(database, 'Load_Balancer').map((row) => [row.health_check, row.ip_port_mappings]);
		expect(balancer()).toEqual([[[check?._uuid], { '10.16.0.2': 'a.default:10.16.0.250' }]]);
		world.set('SwitchLBRule', 'r', undefined);
		update();
		expect(rows(database, 'Load_Balancer_Health_Check')).toEqual([]);
	});
});
