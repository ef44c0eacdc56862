import { describe, expect, it } from 'vitest';
import type { Port } from '../port.ts';
import type { NodeService } from './node-services.ts';
import { nodeRuleset } from './ruleset.ts';
import { transaction } from './ruleset-change.ts';

const port: Port = {
	name: 'node-n1',
	ownerUid: 'u1',
	mac: '02:58:64:40:00:02',
	addresses: [{ address: '100.64.0.2/16' }, { address: 'fd00:100:64::2/112' }],
	mtu: 1442,
	subnet: 'join',
};
const api: NodeService = {
	name: 'default/kubernetes/tcp/443/ipv4',
	family: 4,
	protocol: 'tcp',
	clusterIps: ['10.96.0.1'],
	externalIps: [],
	port: 443,
	nodePort: undefined,
	endpoints: [
		{ address: '172.30.0.253', port: 6443 },
		{ address: '172.30.0.254', port: 6444 },
	],
	local: [],
	isSticky: false,
	internal: 'Cluster',
	external: 'Cluster',
};
const idle: NodeService = {
	...api,
	name: 'default/idle/udp/53/ipv6',
	family: 6,
	protocol: 'udp',
	clusterIps: ['fd00:10:96::1'],
	endpoints: [],
};
const open: NodeService = {
	...api,
	name: 'default/open/tcp/443/ipv4',
	clusterIps: ['10.96.0.2'],
	externalIps: ['192.0.2.8'],
	nodePort: 30443,
};

interface Rule {
	readonly chain: string;
	readonly expr: readonly unknown[];
}

/** The expressions of a chain's rules. */
function rulesOf(
	chain: string,
	services: readonly NodeService[],
	masquerade: Parameters<typeof nodeRuleset>[0]['masquerade'] = [],
	serviceCidrs: Parameters<typeof nodeRuleset>[0]['services'] = [],
) {
	const rules = nodeRuleset({ port, masquerade, services: serviceCidrs }, services);
	const commands: readonly { add?: { rule?: Rule } }[] = JSON.parse(transaction(undefined, rules) ?? '').nftables;
	return commands.flatMap(({ add }) => (add?.rule?.chain === chain ? [add.rule.expr] : []));
}

describe("the node's rules", () => {
	it('send each cluster IP to its own chain, and one without endpoints to the refusal', () => {
		expect(looksUp('output', api, idle)).toEqual([`10.96.0.1,tcp,443 -> ${api.name}`, 'fd00:10:96::1,udp,443 -> no-endpoint']);
		expect(rulesOf(idle.name, [api, idle])).toEqual([]);
	});

	it('look services up by one rule for each hook, family and kind of address, however many there are', () => {
		expect(rulesOf('output', [])).toHaveLength(4);
		expect(rulesOf('output', [api, idle, open])).toHaveLength(4);
	});

	it('choose among all endpoints, port included', () => {
		const set = [
			[0, { concat: ['172.30.0.253', 6443] }],
			[1, { concat: ['172.30.0.254', 6444] }],
		];
		expect(rulesOf(api.name, [api])).toMatchObject([
			[{}, { dnat: { family: 'ip', addr: { map: { key: { numgen: { mode: 'random', mod: 2 } }, data: { set } } } } }],
		]);
	});

	it('translate to the one endpoint by a plain rule', () => {
		const only = { ...api, endpoints: api.endpoints.slice(0, 1) };
		expect(rulesOf(api.name, [only])).toMatchObject([[{}, { dnat: { family: 'ip', addr: '172.30.0.253', port: 6443 } }]]);
	});

	/** Where each look-up of a hook leads: `10.96.0.1,tcp,443 -> CHAIN`. */
	function looksUp(hook: 'output' | 'prerouting', ...services: readonly NodeService[]): string[] {
		const { units } = nodeRuleset({ port, masquerade: [], services: [] }, services);
		const own = [...units.values()].flatMap(({ elements }) => elements).filter(({ map }) => map.startsWith(hook));
		return own.map(({ key, target }) => `${(key as { concat: unknown[] }).concat.join(',')} -> ${target}`);
	}

	it('lead strangers and the own programs to any endpoint, and bring the answers back', () => {
		const to = 'default/open/tcp/443/ipv4/cluster';
		expect(looksUp('prerouting', open)).toEqual([`192.0.2.8,tcp,443 -> ${to}`, `tcp,30443 -> ${to}`]);
		expect(looksUp('output', open)).toEqual([
			'10.96.0.2,tcp,443 -> default/open/tcp/443/ipv4',
			`192.0.2.8,tcp,443 -> ${to}`,
			`tcp,30443 -> ${to}`,
		]);
		expect(rulesOf(to, [open])[0]).toMatchObject([{ mangle: { key: { meta: { key: 'mark' } } } }]);
	});

	it('lead strangers to endpoints here only where they are to keep their address; pods go anywhere', () => {
		const local = { ...open, external: 'Local' } as const;
		const to = `${open.name}/outside`;
		expect(looksUp('prerouting', local)).toEqual([`192.0.2.8,tcp,443 -> ${to}`, `tcp,30443 -> ${to}`]);
		expect(looksUp('output', local)[1]).toBe(`192.0.2.8,tcp,443 -> ${open.name}/cluster`);
		expect(rulesOf(to, [local])).toMatchObject([
			[{ match: { right: 'ovn0' } }, { goto: { target: `${open.name}/cluster` } }],
			[{ goto: { target: 'not-on-this-node' } }],
		]);
		expect(rulesOf(to, [{ ...local, local: open.endpoints.slice(0, 1) }])[1]).toMatchObject([{}, { dnat: {} }]);
		expect(looksUp('prerouting', { ...local, endpoints: [] })[0]).toBe('192.0.2.8,tcp,443 -> no-endpoint');
	});

	it('lead pods, too, where only the endpoints of the own node count', () => {
		const local = { ...api, internal: 'Local', local: api.endpoints.slice(1) } as const;
		expect(looksUp('prerouting', local)).toEqual([`10.96.0.1,tcp,443 -> ${api.name}/pods`]);
		expect(looksUp('output', local)).toEqual([`10.96.0.1,tcp,443 -> ${api.name}`]);
		expect(rulesOf(api.name, [local])).toMatchObject([[{}, { dnat: { addr: '172.30.0.254', port: 6444 } }]]);
		expect(looksUp('output', { ...local, local: [] })).toEqual(['10.96.0.1,tcp,443 -> no-endpoint']);
	});

	it('keep a client at one endpoint by a hash of its address', () => {
		expect(rulesOf(api.name, [{ ...api, isSticky: true }])).toMatchObject([
			[{}, { dnat: { addr: { map: { key: { jhash: { mod: 2 } } } } } }],
		]);
	});

	it('refuse cluster IPs that no service has, to pods and to the own programs', () => {
		const cidrs = [{ family: 4, cidr: '10.96.0.0/16' }] as const;
		const asked = { match: { op: '==', right: { prefix: { addr: '10.96.0.0', len: 16 } } } };
		const refused = { goto: { target: 'no-endpoint' } };
		expect(rulesOf('prerouting', [], [], cidrs).slice(4)).toMatchObject([[{ match: { right: 'ovn0' } }, asked, refused]]);
		expect(rulesOf('output', [], [], cidrs).slice(4)).toMatchObject([[asked, refused]]);
	});

	it("translate what leaves the VPC, and the node's join address wherever it would leave the node", () => {
		const masquerade = [{ family: 4, sources: ['10.16.0.0/16'], inside: ['10.16.0.0/16', '100.64.0.0/16'] }] as const;
		expect(rulesOf('postrouting', [], masquerade)).toMatchObject([
			[{ match: { op: '!=', right: 0 } }, { masquerade: null }],
			[
				{ match: { op: '==', right: { set: [{ prefix: { addr: '10.16.0.0', len: 16 } }] } } },
				{ match: { op: '!=', right: { set: [{ prefix: { addr: '10.16.0.0' } }, { prefix: { addr: '100.64.0.0' } }] } } },
				{ masquerade: null },
			],
			[{ match: { right: '100.64.0.2' } }, { match: { op: '!=', right: { set: ['ovn0', 'lo'] } } }, { masquerade: null }],
			[{ match: { right: 'fd00:100:64::2' } }, { match: { op: '!=' } }, { masquerade: null }],
		]);
	});
});
