import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemoryDatabase } from '../plan/testing/memory-database.ts';
import { verify } from '../plan/verify.ts';
import { nbSchema } from '../schema/nb.generated.ts';
import type { Row } from '../schema/wire.ts';
import { compileAll } from './compiler.ts';
import { monitoredColumns } from './tables.ts';
import { follow, rows } from './testing/follow.ts';
import { defaultWorld, lease, port, service, subnet, vpc } from './testing/worlds.ts';

/** `ovn-nbctl show`, without UUIDs and with everything sorted. */
function show(database: MemoryDatabase): string[] {
	const portsOf = (row: Row, table: string) => (row.ports as string[]).map((uuid) => database.tables[table]?.get(uuid) as Row);
	const switches = rows(database, 'Logical_Switch').flatMap((row) => [
		`switch (${row.name})`,
		...portsOf(row, 'Logical_Switch_Port').map((port) => {
			const router = (port.options as Record<string, string>)['router-port'];
			return `${row.name}: port ${port.name} ${router ? `type: router router-port: ${router}` : `addresses: ${JSON.stringify(port.addresses)}`}`;
		}),
	]);
	const routers = rows(database, 'Logical_Router').flatMap((row) => [
		`router (${row.name})`,
		...portsOf(row, 'Logical_Router_Port').map((port) => `${row.name}: port ${port.name} networks: ${JSON.stringify(port.networks)}`),
	]);
	return [...switches, ...routers].sort();
}

describe('Compiler', () => {
	it('makes the network that Kube-OVN users expect to see', () => {
		const world = defaultWorld(2);
		world.set('IP', 'web.default', lease('web.default'));
		const { database } = follow(world);
		expect(show(database)).toEqual([
			'join: port join-ovn-cluster type: router router-port: ovn-cluster-join',
			'join: port node-n1 addresses: ["02:58:64:40:00:02 100.64.0.2 fd00:100:64::2"]',
			'join: port node-n2 addresses: ["02:58:64:40:00:03 100.64.0.3 fd00:100:64::3"]',
			'ovn-cluster: port ovn-cluster-join networks: ["100.64.0.1/16","fd00:100:64::1/112"]',
			'ovn-cluster: port ovn-cluster-ovn-default networks: ["10.16.0.1/16","fd00:10:16::1/112"]',
			'ovn-default: port ovn-default-ovn-cluster type: router router-port: ovn-cluster-ovn-default',
			'ovn-default: port web.default addresses: ["02:58:0A:10:00:02 10.16.0.2 fd00:10:16::2"]',
			'router (ovn-cluster)',
			'switch (join)',
			'switch (ovn-default)',
		]);
	});

	it('has one egress policy for each node and family, however many subnets there are', () => {
		const world = defaultWorld(2);
		const block = (index: number) => [{ family: 4, cidr: `10.${index}.0.0/16`, prefix: 16, gateway: `10.${index}.0.1` }] as const;
		for (let index = 20; index < 25; index++) world.set('Subnet', `s${index}`, subnet(`s${index}`, { blocks: block(index) }));
		const { database } = follow(world);
		const policies = rows(database, 'Logical_Router_Policy').filter((row) => row.priority === 29_000);
		expect(policies.map((row) => `${row.match} -> ${row.nexthops}`).sort()).toEqual([
			'is_chassis_resident("node-n1") && ip4.src == $tapestry.egress.v4 -> 100.64.0.2',
			'is_chassis_resident("node-n1") && ip6.src == $tapestry.egress.v6 -> fd00:100:64::2',
			'is_chassis_resident("node-n2") && ip4.src == $tapestry.egress.v4 -> 100.64.0.3',
			'is_chassis_resident("node-n2") && ip6.src == $tapestry.egress.v6 -> fd00:100:64::3',
		]);
		const set = rows(database, 'Address_Set').find((row) => row.name === 'tapestry.egress.v4');
		expect(set?.addresses).toHaveLength(6);
	});

	it('gives a VM the DHCP options of its subnet, and a pod none', () => {
		const world = defaultWorld();
		world.set('IP', 'vm.default', lease('vm.default', { ownerKind: 'VirtualMachine' }));
		world.set('IP', 'web.default', lease('web.default', { v4: '10.16.0.3', v6: undefined }));
		const { database } = follow(world);
		const portOf = (name: string) => rows(database, 'Logical_Switch_Port').find((row) => row.name === name);
		const options = (uuid: unknown) => database.tables.DHCP_Options?.get(uuid as string)?.options;
		expect(options(portOf('vm.default')?.dhcpv4_options)).toMatchObject({ router: '10.16.0.1', server_id: '10.16.0.1', mtu: '1442' });
		expect(options(portOf('vm.default')?.dhcpv6_options)).toHaveProperty('server_id');
		expect(portOf('web.default')?.dhcpv4_options).toBeUndefined();
		expect(portOf('web.default')?.dhcpv6_options).toBeUndefined();
	});

	it('gives pods DHCP options where the subnet says so, and nobody any where it says that', () => {
		const world = defaultWorld();
		world.set('IP', 'vm.default', lease('vm.default', { ownerKind: 'VirtualMachineInstance' }));
		world.set('IP', 'web.default', lease('web.default', { v4: '10.16.0.3', v6: undefined }));
		world.set('Subnet', 'ovn-default', subnet('ovn-default', { dhcpFor: 'all' }));
		const { database, update } = follow(world);
		const optionsOf = () => rows(database, 'Logical_Switch_Port').flatMap((row) => (row.dhcpv4_options ? String(row.name) : []));
		expect(optionsOf().sort()).toEqual(['vm.default', 'web.default']);
		world.set('Subnet', 'ovn-default', subnet('ovn-default', { dhcpFor: 'nobody' }));
		update();
		expect(optionsOf()).toEqual([]);
		expect(rows(database, 'DHCP_Options')).toEqual([]);
	});

	it('tells guests the cluster DNS once there is one, unless they are told another or do not reach it', () => {
		const world = defaultWorld();
		const block = (index: number) => [
			{ family: 4, cidr: `10.${index}.0.0/16`, prefix: 16, gateway: `10.${index}.0.1` } as const,
			{ family: 6, cidr: `fd00:${index}::/64`, prefix: 64, gateway: `fd00:${index}::1` } as const,
		];
		world.set('Subnet', 's20', subnet('s20', { blocks: block(20), dhcpV4Options: { dns_server: '{10.0.0.53}' } }));
		world.set('Subnet', 's21', subnet('s21', { blocks: block(21), tellsClusterDns: false }));
		world.set('Subnet', 's22', subnet('s22', { blocks: block(22), servesServices: false }));
		const { database, update } = follow(world);
		const told = () =>
			rows(database, 'DHCP_Options')
				.map((row) => `${row.cidr} ${(row.options as Record<string, string>).dns_server}`)
				.sort();
		expect(told().filter((line) => !line.endsWith('undefined'))).toEqual(['10.20.0.0/16 {10.0.0.53}']);
		const clusterIps = ['10.96.0.10', 'fd00:10:96::a'];
		world.set('Service', 'kube-system/kube-dns', service('kube-dns', { namespace: 'kube-system', clusterIps }));
		update();
		expect(told()).toEqual([
			'10.16.0.0/16 10.96.0.10',
			'10.20.0.0/16 {10.0.0.53}',
			'10.21.0.0/16 undefined',
			'10.22.0.0/16 undefined',
			'fd00:10:16::/112 fd00:10:96::a',
			'fd00:20::/64 fd00:10:96::a',
			'fd00:21::/64 undefined',
			'fd00:22::/64 undefined',
		]);
		const advertised = rows(database, 'Logical_Router_Port').find((row) => row.name === 'ovn-cluster-ovn-default')?.ipv6_ra_configs;
		expect(advertised).toMatchObject({ rdnss: 'fd00:10:96::a', address_mode: 'dhcpv6_stateful', mtu: '1442' });
	});

	it('sends no advertisements where the subnet forbids them', () => {
		const world = defaultWorld();
		world.set('Subnet', 'ovn-default', subnet('ovn-default', { advertises: false }));
		const { database } = follow(world);
		expect(rows(database, 'Logical_Router_Port').map((row) => row.ipv6_ra_configs)).toEqual([{}, {}]);
	});

	it('closes a port to spoofing unless it is opened, and binds it to its node and owner', () => {
		const world = defaultWorld();
		world.set('IP', 'a.d', lease('a.d'));
		world.set('IP', 'b.d', lease('b.d', { isOpen: true, node: '' }));
		const { database } = follow(world);
		const portOf = (name: string) => rows(database, 'Logical_Switch_Port').find((row) => row.name === name);
		expect(portOf('a.d')?.port_security).toEqual(['02:58:0A:10:00:02 10.16.0.2 fd00:10:16::2']);
		expect(portOf('a.d')?.options).toEqual({ 'requested-chassis': 'n1', 'iface-id-ver': 'uid-a.d' });
		expect(portOf('b.d')?.port_security).toEqual([]);
		expect(portOf('b.d')?.options).toEqual({ 'iface-id-ver': 'uid-b.d' });
	});

	it('keeps a VPC of a tenant apart: no join network, no policies, no services', () => {
		const world = defaultWorld(1);
		world.set('Vpc', 'tenant', vpc('tenant'));
		world.set('Subnet', 'net1', subnet('net1', { vpc: 'tenant', servesServices: false }));
		const { database } = follow(world);
		const router = rows(database, 'Logical_Router').find((row) => row.name === 'tenant');
		expect(router).toMatchObject({ policies: [], static_routes: [] });
		expect(router?.ports).toHaveLength(1);
		const logicalSwitch = rows(database, 'Logical_Switch').find((row) => row.name === 'net1');
		expect(logicalSwitch?.load_balancer_group).toEqual([]);
		expect(rows(database, 'Address_Set').flatMap((row) => row.addresses)).toEqual(['10.16.0.0/16', 'fd00:10:16::/112']);
	});

	it('compiles only what read something that changed', () => {
		const world = defaultWorld(1);
		for (let index = 2; index < 50; index++) world.set('IP', `p${index}.d`, lease(`p${index}.d`, { v4: `10.16.0.${index}` }));
		const { update } = follow(world);
		world.set('IP', 'p9.d', lease('p9.d', { v4: '10.16.0.9', node: 'n2' }));
		expect(update()).toEqual(['IP/p9.d']);
		world.set('IP', 'p9.d', lease('p9.d', { v4: '10.16.0.9', node: 'n2' }));
		expect(update()).toEqual([]);
		world.set('Subnet', 'ovn-default', subnet('ovn-default', { mtu: 1400 }));
		expect(update().filter((owner) => !owner.startsWith('IP/p'))).toEqual(['Subnet/ovn-default', 'Vpc/ovn-cluster']);
		world.set('IP', 'node-n1', undefined);
		expect(update().sort()).toEqual(['Always/reachable', 'IP/node-n1', 'Node/n1']);
	});

	it('writes only columns that are monitored, or the planner would not see them', () => {
		const world = defaultWorld(1);
		world.set('IP', 'vm.d', lease('vm.d', { ownerKind: 'VirtualMachine' }));
		world.set('Service', 'default/s', service('s', { clusterIps: ['10.96.0.2'], ports: [port(53, { protocol: 'udp' })], isSticky: true }));
		for (const fragment of compileAll(world).values()) {
			for (const row of fragment.rows) {
				const columns: readonly string[] = monitoredColumns[row.table as keyof typeof monitoredColumns];
				expect(columns).toEqual(expect.arrayContaining(Object.keys(row.columns)));
				for (const place of row.listedIn) expect(monitoredColumns[place.table as keyof typeof monitoredColumns]).toContain(place.column);
			}
		}
	});

	it('gives the same database as compiling everything at once, whatever the order of changes', () => {
		const names = fc.constantFrom('a', 'b');
		const change = fc.oneof(
			fc.record({ kind: fc.constant('Vpc' as const), name: names, there: fc.boolean() }),
			fc.record({ kind: fc.constant('Subnet' as const), name: names, vpc: names, there: fc.boolean() }),
			fc.record({ kind: fc.constant('IP' as const), name: names, subnet: names, vm: fc.boolean(), there: fc.boolean() }),
		);
		fc.assert(
			fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
				const world = defaultWorld(1);
				const { database, update } = follow(world);
				for (const one of changes) {
					if (one.kind === 'Vpc') world.set('Vpc', one.name, one.there ? vpc(one.name) : undefined);
					if (one.kind === 'Subnet') world.set('Subnet', one.name, one.there ? subnet(one.name, { vpc: one.vpc }) : undefined);
					if (one.kind === 'IP') {
						const ownerKind = one.vm ? 'VirtualMachine' : 'Pod';
						world.set('IP', one.name, one.there ? lease(one.name, { subnet: one.subnet, ownerKind }) : undefined);
					}
					update();
				}
				const wrong = verify(nbSchema, compileAll(world), database.tables).filter(({ kind }) => kind !== 'missing');
				expect(wrong).toEqual([]);
			}),
			{ numRuns: 150 },
		);
	});
});
