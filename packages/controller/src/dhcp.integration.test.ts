import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { findCondition } from '@tapestry/kube';
import { type Subnet, subnetResource, type VirtualMachine, virtualMachineResource } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OvsdbServer, sbSchemaPath, startOvsdbServer } from '../../ovsdb/src/testing/server.ts';
import { TestCluster } from './testing/cluster.ts';

const run = promisify(execFile);

let cluster: TestCluster;
let southbound: OvsdbServer;
let northd: ChildProcess;
beforeAll(async () => {
	cluster = await TestCluster.start();
	southbound = await startOvsdbServer({ schemaPath: sbSchemaPath });
	const socket = southbound.endpoint.replace('unix:', '');
	const databases = [`--ovnnb-db=${cluster.nb.endpoint}`, `--ovnsb-db=${southbound.endpoint}`];
	const quiet = ['-vconsole:off', '-vsyslog:off', '-vfile:off'];
	northd = spawn('setpriv', ['--pdeathsig', 'KILL', 'ovn-northd', ...databases, ...quiet, `--unixctl=${socket}.northd.ctl`]);
	await cluster.addNode('n1', '172.30.0.1');
	await cluster.startController('a');
});
afterAll(async () => {
	if (northd.exitCode === null && northd.kill('SIGKILL')) await once(northd, 'exit');
	await southbound.stop();
	await cluster[Symbol.asyncDispose]();
});

/** What northd makes of the subnet's options, and what OVN's parser of actions finds wrong with any flow. */
async function flowsOf(subnet: string): Promise<{ readonly actions: string; readonly complaints: string }> {
	await run('ovn-nbctl', [`--db=${cluster.nb.endpoint}`, '--wait=sb', '--timeout=30', 'sync']);
	const { stdout: actions } = await run('ovn-sbctl', [`--db=${southbound.endpoint}`, 'lflow-list', subnet], { maxBuffer: 1 << 26 });
	const { stderr: complaints } = await run('ovn-trace', [`--db=${southbound.endpoint}`, subnet, `inport == "${subnet}-vm.default"`]);
	return { actions, complaints };
}

async function subnetWithVm(name: string, spec: Subnet['spec']): Promise<void> {
	await cluster.client.create<Subnet>(subnetResource, { metadata: { name }, spec });
	const template = { metadata: { annotations: { 'ovn.kubernetes.io/logical_switch': name } } };
	const metadata = { name: `${name}-vm`, namespace: 'default' };
	await cluster.client.create<VirtualMachine>(virtualMachineResource, { metadata, spec: { template } });
	await cluster.until('the port', () => cluster.port(`${name}-vm.default`) !== undefined);
}

const validated = (name: string) => findCondition(cluster.sources.subnets.objects.get(name)?.status?.conditions as never, 'Validated');

it('tells guests what spec.dhcp says, in the form that OVN reads', async () => {
	await subnetWithVm('typed', {
		cidrBlock: '10.1.0.0/16,fd00:1::/64',
		dhcp: {
			dns: ['10.0.0.53', '10.0.0.54', 'fd00::53'],
			domain: 'lab.example',
			ntp: ['10.0.0.123'],
			routes: [{ destination: '10.2.0.0/16', gateway: '10.1.0.9' }],
			leaseSeconds: 600,
		},
	});
	const { actions, complaints } = await flowsOf('typed');
	expect(complaints).not.toMatch(/parsing/);
	for (const part of [
		'classless_static_route = {10.2.0.0/16, 10.1.0.9, 0.0.0.0/0, 10.1.0.1}',
		'dns_server = {10.0.0.53, 10.0.0.54}',
		'dns_server = {fd00::53}',
		'domain_name = "lab.example"',
		'lease_time = 600',
		'ntp_server = {10.0.0.123}',
		'mtu = 1442',
	]) {
		expect(actions).toContain(part);
	}
});

it('has the router advertise prefix, MTU, DNS and that addresses come by DHCPv6', async () => {
	await subnetWithVm('advertised', { cidrBlock: 'fd00:6::/64', mtu: 1400, dhcp: { dns: ['fd00::53'], domain: 'lab.example' } });
	await flowsOf('advertised');
	const { stdout: router } = await run('ovn-sbctl', [`--db=${southbound.endpoint}`, 'lflow-list', 'ovn-cluster'], { maxBuffer: 1 << 26 });
	const mode = 'addr_mode = "dhcpv6_stateful"';
	const rest = 'mtu = 1400, rdnss = fd00::53, dnssl = "lab.example", prefix = fd00:6::/64';
	expect(router.split('\n').filter((flow) => flow.includes(mode) && flow.includes(rest))).toHaveLength(1);
	const find = ['--bare', '--columns=options', 'find', 'Port_Binding', 'logical_port=ovn-cluster-advertised'];
	const { stdout: periodic } = await run('ovn-sbctl', [`--db=${southbound.endpoint}`, ...find]);
	expect(periodic).toContain('ipv6_ra_send_periodic=true');
});

it('hands on every option that it knows in a form that OVN reads', async () => {
	const addresses = ['router', 'dns_server', 'log_server', 'lpr_server', 'swap_server', 'policy_filter', 'router_solicitation']
		.concat(['nis_server', 'ntp_server', 'netbios_name_server', 'tftp_server_address'])
		.map((name) => `${name}={10.3.0.1,10.3.0.2}`);
	const numbers = ['ip_forward_enable=true', 'router_discovery=0', 'ethernet_encap=1', 'default_ttl=255', 'tcp_ttl=1', 'mtu=1400', 'T1=30']
		.concat(['T2=40', 'arp_cache_timeout=4000', 'tcp_keepalive_interval=5', 'netbios_node_type=8', 'lease_time=60'])
		.concat([
			'server_id=10.3.0.1',
			'server_mac=02:00:00:00:00:09',
			'netmask=255.255.0.0',
			'next_server=10.3.0.7',
			'broadcast_address=10.3.255.255',
		]);
	const texts = ['wpad', 'bootfile_name', 'bootfile_name_alt', 'path_prefix', 'hostname', 'domain_name', 'tftp_server']
		.map((name) => `${name}=a-b`)
		.concat(['domain_search_list="a.example,b.example"']);
	const routes = ['classless_static_route', 'ms_classless_static_route'].map(
		(name) => `${name}={10.4.0.0/16,10.3.0.9, 0.0.0.0/0,10.3.0.1}`,
	);
	await subnetWithVm('texts', {
		cidrBlock: '10.3.0.0/16,fd00:3::/64',
		dhcpV4Options: [...addresses, ...numbers, ...texts, ...routes].join(','),
		dhcpV6Options: 'server_id=02:00:00:00:00:09,dns_server={fd00::1,fd00::2},domain_search="a.example,b.example"',
		ipv6RAConfigs:
			'address_mode=dhcpv6_stateless,router_preference=HIGH,route_info=HIGH-fd01::/48,mtu=1400,send_periodic=true,max_interval=30,min_interval=5,rdnss=fd00::1,dnssl=a.example',
	});
	await cluster.until('the subnet is valid', () => validated('texts')?.status === 'True');
	const { actions, complaints } = await flowsOf('texts');
	expect(complaints).not.toMatch(/parsing/);
	expect(actions).toContain('domain_search_list = "a.example,b.example"');
	expect(actions).toContain('bootfile_name = "a-b"');
});

it('goes on answering when an option cannot be read, and says so on the subnet', async () => {
	await subnetWithVm('wrong', { cidrBlock: '10.5.0.0/16', dhcpV4Options: 'wibble=1,dns_server={10.0.0.1,domain_name=x"); drop; (' });
	await cluster.until('it is told', () => validated('wrong')?.status === 'False');
	expect(validated('wrong')?.message).toMatch(/wibble.*is left out.*OVN has no.*fix: .*dns_server=\{10\.0\.0\.1.*is left out/);
	await cluster.until('an event', () => cluster.eventAbout('wrong', 'OptionUnknown') !== undefined);
	const { actions, complaints } = await flowsOf('wrong');
	expect(complaints).not.toMatch(/parsing/);
	expect(actions).toMatch(/put_dhcp_opts\(offerip = 10\.5\.0\.2/);
	const ready = () => findCondition(cluster.sources.subnets.objects.get('wrong')?.status?.conditions as never, 'Ready');
	await cluster.until('the subnet is ready all the same', () => ready()?.status === 'True');
	const patch = { spec: { dhcpV4Options: 'lease_time=60' } };
	await cluster.client.patch(subnetResource, { name: 'wrong' }, 'application/merge-patch+json', patch);
	await cluster.until('it is well again', () => validated('wrong')?.status === 'True');
});

it('says on the subnet that no router can advertise, where there is none or no IPv6', async () => {
	const wrong = [
		[
			'bridged',
			{ cidrBlock: '10.8.0.0/16,fd00:8::/64', vlan: 'v1' },
			/no router advertisement is sent.*no router of OVN has a port in it \(fix: /,
		],
		['fours', { cidrBlock: '10.9.0.0/16', enableIPv6RA: true }, /no router advertisement is sent.*it has no IPv6 block \(fix: /],
	] as const;
	for (const [name, spec, words] of wrong) {
		await cluster.client.create<Subnet>(subnetResource, { metadata: { name }, spec });
		await cluster.until(`${name} is told`, () => validated(name)?.status === 'False');
		expect(validated(name)?.message).toMatch(words);
	}
	await cluster.client.create<Subnet>(subnetResource, {
		metadata: { name: 'quiet' },
		spec: { cidrBlock: 'fd00:b::/64', enableIPv6RA: false },
	});
	await cluster.until('quiet is valid', () => validated('quiet')?.status === 'True');
});
