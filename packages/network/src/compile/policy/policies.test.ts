import { cidrContains, parseCidr, parseIp } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import { externalIds } from '../../api/names.ts';
import type { DesiredRow } from '../../plan/model.ts';
import type { PolicyFacts, RuleFacts } from '../../world/policies.ts';
import { PolicySet } from '../../world/policy-set.ts';
import { selectorKey } from '../../world/selector.ts';
import type { World } from '../../world/world.ts';
import { Compiler, compileAll } from '../compiler.ts';
import { defaultWorld, lease, subnet } from '../testing/worlds.ts';

const web = { namespaces: 'shop', pods: { matchLabels: { app: 'web' } } };
const db = { namespaces: 'shop', pods: { matchLabels: { app: 'db' } } };
const names = new Map<string, string>();

/** The rows of a table as a person reads them, with the digests of selectors replaced by their texts. */
function rows(world: World, table: string): string[] {
	for (const key of world.keys('Selector')) {
		const name = compileAll(world).get(`Selector/${key}`)?.rows[0]?.key ?? '';
		names.set(name, `<${key}>`);
	}
	const shown = [...compileAll(world).values()].flatMap((fragment) => fragment.rows.filter((row) => row.table === table).map(show));
	return shown.map((line) => [...names].reduce((text, [name, key]) => text.replaceAll(name, key), line)).sort();
}

function show({ columns, key }: DesiredRow): string {
	if (columns.match === undefined) return key;
	const ids = columns.external_ids as Record<string, string>;
	const place = columns.direction === 'to-lport' ? 'in' : Object.keys(columns.options as object).length > 0 ? 'out' : 'out early';
	const also = ids[externalIds.also] === undefined ? '' : ` and ${ids[externalIds.also]}`;
	return `${columns.priority} ${place} ${columns.action}: ${columns.match} (${ids[externalIds.by]} ${ids[externalIds.path]}${also})`;
}

const groupsOf = (world: World, name: string): string[] => {
	const port = compileAll(world).get(`IP/${name}`)?.rows[0];
	const places = port?.listedIn.filter((place) => place.table === 'Port_Group').map((place) => place.key) ?? [];
	return places.map((one) => names.get(one) ?? one).sort();
};

const rule = (path: string, more: Partial<RuleFacts> = {}): RuleFacts => ({
	path,
	direction: 'ingress',
	action: 'allow',
	peer: undefined,
	traffic: undefined,
	...more,
});

type Kind = 'NetworkPolicy' | 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy';

function apply(world: World, kind: Kind, key: string, rules: readonly RuleFacts[], more: Partial<PolicyFacts> = {}): void {
	const facts: PolicyFacts = { owner: `${kind}/${key}`, subject: selectorKey(web), isolates: [], rules, priority: 0, ...more };
	set(world).set(kind, key, { facts, selectors: [web, db], portNames: [{ protocol: 'tcp', name: 'http' }] });
}

const sets = new WeakMap<World, PolicySet>();
const set = (world: World): PolicySet => {
	const known = sets.get(world) ?? new PolicySet(world);
	sets.set(world, known);
	return known;
};

/** A port that policies select, one that they speak of, and one of neither. */
function shop(): World {
	const world = defaultWorld(1);
	const ports = [{ name: 'http', protocol: 'tcp', port: 8080 }] as const;
	world.set('IP', 'web.shop', lease('web.shop', { namespace: 'shop', labels: { app: 'web' }, ports }));
	world.set('IP', 'db.shop', lease('db.shop', { namespace: 'shop', labels: { app: 'db' }, v4: '10.16.0.3', v6: undefined }));
	world.set('IP', 'web.other', lease('web.other', { namespace: 'other', labels: { app: 'web' }, v4: '10.16.0.4', v6: undefined }));
	return world;
}

const fromDb: Partial<RuleFacts> = { peer: { kind: 'selector', selector: selectorKey(db) } };
const port80: Partial<RuleFacts> = { traffic: [{ protocol: 'tcp', destination: { first: 80, last: 80 }, source: undefined }] };

describe('NetworkPolicy', () => {
	it('is a row for each rule and peer, and one for what is left', () => {
		const world = shop();
		const rules = [
			rule('spec.ingress[0].from[0]', { ...fromDb, ...port80 }),
			rule('spec.ingress[1]', { traffic: [{ protocol: 'tcp', named: 'http' }] }),
			rule('spec.egress[0].to[0]', {
				direction: 'egress',
				peer: { kind: 'addresses', addresses: ['10.0.0.0/8', 'fd00::/8'] },
				traffic: [{ protocol: 'udp', destination: { first: 5000, last: 5010 }, source: undefined }],
			}),
		];
		apply(world, 'NetworkPolicy', 'shop/np', rules, { isolates: ['ingress', 'egress'] });
		const by = 'NetworkPolicy/shop/np';
		const subjects = '@<shop:app=web>';
		expect(rows(world, 'ACL').filter((line) => line.includes(by))).toEqual([
			`2000 in drop: outport == ${subjects} && ip (${by} spec.podSelector)`,
			`2000 out drop: inport == ${subjects} && ip (${by} spec.podSelector)`,
			`2001 in allow-related: outport == ${subjects} && (ip4.src == $<shop:app=db>_ip4 || ip6.src == $<shop:app=db>_ip6) && tcp.dst == 80 (${by} spec.ingress[0].from[0])`,
			`2001 in allow-related: outport == ${subjects} && (outport == @tapestry.port.tcp.http.8080 && tcp.dst == 8080) (${by} spec.ingress[1])`,
			`2001 out allow-related: inport == ${subjects} && (ip4.dst == 10.0.0.0/8 || ip6.dst == fd00::/8) && 5000 <= udp.dst <= 5010 (${by} spec.egress[0].to[0])`,
		]);
		expect(groupsOf(world, 'web.shop')).toEqual([
			'<shop:app=web>',
			'tapestry.policed',
			'tapestry.port.tcp.http.8080',
			'tapestry.reachable',
		]);
		expect(groupsOf(world, 'db.shop')).toEqual(['<shop:app=db>']);
		expect(groupsOf(world, 'web.other')).toEqual([]);
		expect(rows(world, 'ACL').filter((line) => line.startsWith('32700'))).toEqual(
			[
				'32700 in allow-related: outport == @tapestry.policed && (nd || nd_rs || nd_ra) ( discovery)',
				'32700 in allow-related: outport == @tapestry.reachable && is_chassis_resident("node-n1") && (ip4.src == {172.30.0.1, 100.64.0.2} || ip6.src == {fd00:172:30::1, fd00:100:64::2}) (Node/n1 )',
				...['out', 'out early'].flatMap((place) => [
					`32700 ${place} allow-related: inport == @tapestry.policed && ((ip4 && udp.src == 68 && udp.dst == 67) || (ip6 && udp.src == 546 && udp.dst == 547)) ( dhcp)`,
					`32700 ${place} allow-related: inport == @tapestry.policed && (nd || nd_rs || nd_ra) ( discovery)`,
				]),
			].sort(),
		);
	});

	it('leaves nothing behind, and a change of one pod or rule compiles nothing else', () => {
		const world = shop();
		const before = rows(world, 'ACL');
		const compiler = new Compiler(world);
		const update = () => [...compiler.update()].map(([owner]) => owner).sort();
		update();
		apply(world, 'NetworkPolicy', 'shop/np', [rule('spec.ingress[0].from[0]', fromDb)], { isolates: ['ingress'] });
		update();
		apply(world, 'NetworkPolicy', 'shop/np', [rule('spec.ingress[0].from[0]', { ...fromDb, ...port80 })], { isolates: ['ingress'] });
		expect(update()).toEqual(['NetworkPolicy/shop/np']);
		world.set('IP', 'web.other', lease('web.other', { namespace: 'other', labels: { app: 'db' }, v4: '10.16.0.4', v6: undefined }));
		expect(update()).toEqual(['IP/web.other']);
		set(world).set('NetworkPolicy', 'shop/np', undefined);
		update();
		expect(rows(world, 'ACL')).toEqual(before);
		expect([...world.keys('Selector'), ...world.keys('PortName')]).toEqual([]);
	});
});

describe('AdminNetworkPolicy and baseline', () => {
	it('stand above and below NetworkPolicies, in the order of their rules', () => {
		const world = shop();
		apply(
			world,
			'AdminNetworkPolicy',
			'a',
			[rule('spec.ingress[0].from[0]', { ...fromDb, action: 'deny' }), rule('spec.ingress[1].from[0]')],
			{
				priority: 7,
			},
		);
		apply(world, 'BaselineAdminNetworkPolicy', 'default', [rule('spec.ingress[0].from[0]', { action: 'deny' })]);
		const own = rows(world, 'ACL').filter((line) => line.includes('AdminNetworkPolicy'));
		const fromDbText = '(ip4.src == $<shop:app=db>_ip4 || ip6.src == $<shop:app=db>_ip6)';
		expect(own).toEqual([
			'1999 in drop: outport == @<shop:app=web> && ip (BaselineAdminNetworkPolicy/default spec.ingress[0].from[0])',
			'20298 in allow-related: outport == @<shop:app=web> && ip (AdminNetworkPolicy/a spec.ingress[1].from[0])',
			`20299 in drop: outport == @<shop:app=web> && ${fromDbText} (AdminNetworkPolicy/a spec.ingress[0].from[0])`,
		]);
	});

	it('give subjects of a Pass a list in which NetworkPolicies decide', () => {
		const world = shop();
		apply(world, 'AdminNetworkPolicy', 'a', [
			rule('spec.ingress[0].from[0]', { ...fromDb, action: 'pass' }),
			rule('spec.ingress[1].from[0]', { action: 'deny' }),
		]);
		apply(world, 'NetworkPolicy', 'shop/np', [rule('spec.ingress[0]', port80)], { isolates: ['ingress'] });
		const list = rows(world, 'ACL').filter((line) => line.includes('@tapestry.all') && line.includes(' in '));
		const text = list
			.reverse()
			.map((line) =>
				line.replaceAll(/tapestry\.all\.\w+/g, 'all').replaceAll('(ip4.src == $<shop:app=db>_ip4 || ip6.src == $<shop:app=db>_ip6)', 'db'),
			);
		expect(text).toEqual([
			'31000 in allow-related: outport == @all && db && tcp.dst == 80 (NetworkPolicy/shop/np spec.ingress[0] and AdminNetworkPolicy/a spec.ingress[0].from[0])',
			'30999 in drop: outport == @all && db (NetworkPolicy/shop/np spec.podSelector)',
			'30998 in drop: outport == @all && ip (AdminNetworkPolicy/a spec.ingress[1].from[0])',
			'30997 in allow-related: outport == @all && tcp.dst == 80 (NetworkPolicy/shop/np spec.ingress[0])',
			'30996 in drop: outport == @all && ip (NetworkPolicy/shop/np spec.podSelector)',
			'21001 in drop: outport == @all && ip ( )',
		]);
	});
});

describe('SecurityGroup', () => {
	it('must agree with NetworkPolicies', () => {
		const world = shop();
		world.set('SecurityGroup', 'web', {
			name: 'web',
			allowsSameGroup: true,
			rules: [
				{ ...rule('spec.ingressRules[0]', port80), priority: 2, family: undefined, local: undefined },
				{
					...rule('spec.ingressRules[1]', { action: 'deny', peer: { kind: 'addresses', addresses: ['10.0.0.1'] } }),
					priority: 1,
					family: 4,
					local: undefined,
				},
			],
		});
		world.set('IP', 'web.shop', lease('web.shop', { namespace: 'shop', labels: { app: 'web' }, securityGroups: ['gone', 'web'] }));
		apply(world, 'NetworkPolicy', 'shop/np', [rule('spec.ingress[0].from[0]', fromDb)], { isolates: ['ingress'] });
		const list = rows(world, 'ACL').filter((line) => line.includes('@tapestry.all') && line.includes(' in '));
		const text = list.reverse().map((line) =>
			line
				.replaceAll(/tapestry\.all\.\w+/g, 'all')
				.replaceAll('(ip4.src == $<shop:app=db>_ip4 || ip6.src == $<shop:app=db>_ip6)', 'db')
				.replaceAll('(ip4.src == $tapestry.sg.web_ip4 || ip6.src == $tapestry.sg.web_ip6)', 'members'),
		);
		expect(text).toEqual([
			'31000 in drop: outport == @all && ip4 && ip4.src == 10.0.0.1 (SecurityGroup/web spec.ingressRules[1])',
			'30999 in allow-related: outport == @all && tcp.dst == 80 && db (NetworkPolicy/shop/np spec.ingress[0].from[0] and SecurityGroup/web spec.ingressRules[0])',
			'30998 in drop: outport == @all && tcp.dst == 80 (NetworkPolicy/shop/np spec.podSelector)',
			'30997 in allow-related: outport == @all && members && db (NetworkPolicy/shop/np spec.ingress[0].from[0] and SecurityGroup/web spec.allowSameGroupTraffic)',
			'30996 in drop: outport == @all && members (NetworkPolicy/shop/np spec.podSelector)',
			'30995 in drop: outport == @all && ip (SecurityGroup/gone spec.ingressRules)',
			'21001 in drop: outport == @all && ip ( )',
		]);
		expect(groupsOf(world, 'web.shop')).toContain('tapestry.sg.web');
		// A name that a user made up takes no other family out of the list.
		world.set(
			'IP',
			'web.shop',
			lease('web.shop', { namespace: 'shop', labels: { app: 'web' }, securityGroups: ['web', 'x;;;', 'y,', '\ud800'] }),
		);
		expect(rows(world, 'ACL').filter((line) => line.includes('@tapestry.all') && line.includes('NetworkPolicy/shop/np'))).toHaveLength(4);
	});
});

describe('Subnet', () => {
	it('drops what is not let in, and keeps order where it matters', () => {
		const world = shop();
		const acl = (path: string, direction: 'ingress' | 'egress', action: 'allow' | 'drop', match: string) => ({
			path,
			direction,
			action,
			match,
		});
		const acls = [
			acl('spec.acls[0]', 'ingress', 'drop', 'ip4.src == 10.0.0.1'),
			acl('spec.acls[1]', 'ingress', 'allow', 'ip4.src == 10.0.0.0/24'),
			acl('spec.acls[2]', 'egress', 'allow', 'tcp'),
			acl('spec.acls[3]', 'egress', 'drop', 'ip'),
		];
		world.set('Subnet', 'ovn-default', subnet('ovn-default', { acls, privateTo: ['10.17.0.0/16'] }));
		const group = '@tapestry.subnet.ovn_default';
		const denied = 'tapestry.subnet.ovn_default.denied';
		expect(rows(world, 'ACL').filter((line) => line.includes('Subnet/'))).toEqual([
			`32499 out early drop: inport == ${group} && (ip) (Subnet/ovn-default spec.acls[3])`,
			`32500 in drop: outport == ${group} && (ip4.src == 10.0.0.1) (Subnet/ovn-default spec.acls[0])`,
			`32500 out early allow-related: inport == ${group} && (tcp) (Subnet/ovn-default spec.acls[2])`,
			`32600 in drop: outport == ${group} && (ip4.src == $${denied}.v4 || ip6.src == $${denied}.v6) (Subnet/ovn-default spec.private)`,
			`32600 out drop: inport == ${group} && (ip4.dst == $${denied}.v4 || ip6.dst == $${denied}.v6) (Subnet/ovn-default spec.private)`,
		]);
		const set = compileAll(world)
			.get('Subnet/ovn-default')
			?.rows.find(({ key }) => key === `${denied}.v4`);
		const outside = ((set?.columns.addresses ?? []) as string[]).map((block) => parseCidr(block)).filter((block) => block !== undefined);
		const isDenied = (ip: string) => outside.some((block) => cidrContains(block, parseIp(ip) ?? { family: 4, value: 0n }));
		expect(['10.16.0.9', '10.17.9.9', '100.64.0.2', '224.0.0.1'].filter(isDenied)).toEqual([]);
		expect(['10.15.255.255', '10.18.0.0', '100.65.0.0', '1.1.1.1', '172.30.0.1'].filter((ip) => !isDenied(ip))).toEqual([]);
		world.set('Subnet', 'ovn-default', subnet('ovn-default', { acls: acls.slice(0, 2).reverse() }));
		const list = rows(world, 'ACL').filter((line) => line.includes('@tapestry.all') && line.includes(' in '));
		expect(list.reverse().map((line) => line.replaceAll(/tapestry\.all\.\w+/g, 'all'))).toEqual([
			'31000 in allow-related: outport == @all && (ip4.src == 10.0.0.0/24) (Subnet/ovn-default spec.acls[1])',
			'30999 in drop: outport == @all && (ip4.src == 10.0.0.1) (Subnet/ovn-default spec.acls[0])',
			'30998 in allow-related: outport == @all && ip ( )',
			'21001 in drop: outport == @all && ip ( )',
		]);
	});
});
