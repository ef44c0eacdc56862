import { describe, expect, it } from 'vitest';
import type { Port } from '../port.ts';
import type { ClusterIpPort } from './cluster-ip.ts';
import { nodeRuleset } from './ruleset.ts';

const port: Port = {
	name: 'node-n1',
	ownerUid: 'u1',
	mac: '02:58:64:40:00:02',
	addresses: [{ address: '100.64.0.2/16' }, { address: 'fd00:100:64::2/112' }],
	mtu: 1442,
	subnet: 'join',
};
const api: ClusterIpPort = {
	name: 'default/kubernetes/tcp/443/ipv4',
	family: 4,
	protocol: 'tcp',
	address: '10.96.0.1',
	port: 443,
	endpoints: [
		{ address: '172.30.0.253', port: 6443 },
		{ address: '172.30.0.254', port: 6444 },
	],
};
const idle: ClusterIpPort = {
	...api,
	name: 'default/idle/udp/53/ipv6',
	family: 6,
	protocol: 'udp',
	address: 'fd00:10:96::1',
	endpoints: [],
};

interface Rule {
	readonly chain: string;
	readonly expr: readonly unknown[];
}

/** The expressions of a chain's rules. */
function rulesOf(chain: string, clusterIps: readonly ClusterIpPort[], masquerade: Parameters<typeof nodeRuleset>[0]['masquerade'] = []) {
	const commands: readonly { add?: { rule?: Rule } }[] = JSON.parse(nodeRuleset({ port, masquerade }, clusterIps)).nftables;
	return commands.flatMap(({ add }) => (add?.rule?.chain === chain ? [add.rule.expr] : []));
}

describe("the node's rules", () => {
	it('send each cluster IP to its own chain, and one without endpoints to the refusal, by one look-up for a family', () => {
		expect(rulesOf('output', [api, idle])).toMatchObject([
			[{ vmap: { data: { set: [[{ concat: ['10.96.0.1', 'tcp', 443] }, { goto: { target: api.name } }]] } } }],
			[{ vmap: { data: { set: [[{ concat: ['fd00:10:96::1', 'udp', 443] }, { goto: { target: 'no-endpoint' } }]] } } }],
		]);
		expect(rulesOf(idle.name, [api, idle])).toEqual([]);
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

	it('have no empty set, which nft refuses', () => {
		expect(rulesOf('output', [])).toEqual([]);
		expect(nodeRuleset({ port, masquerade: [] }, [])).not.toContain('"set":[]');
	});

	it("translate what leaves the VPC, and the node's join address wherever it would leave the node", () => {
		const masquerade = [{ family: 4, sources: ['10.16.0.0/16'], inside: ['10.16.0.0/16', '100.64.0.0/16'] }] as const;
		expect(rulesOf('postrouting', [], masquerade)).toMatchObject([
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
