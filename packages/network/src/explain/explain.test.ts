import { describe, expect, it } from 'vitest';
import { port, service, slice, subnet, vpc } from '../compile/testing/worlds.ts';
import { PolicySet } from '../world/policy-set.ts';
import { selectorKey } from '../world/selector.ts';
import { formatAnswers } from './format.ts';
import { nothingObserved } from './question.ts';
import { ask, block, ip, plantedWorld, pod, toAddress, toPod } from './testing/planted.ts';

const families = [4, 6] as const;
const web = service('web', { namespace: 'shop', clusterIps: ['10.96.0.9'], ports: [port(80)] });

describe('what passes', () => {
	it.each(families)('a neighbour on the switch, and another subnet through the router: IPv%s', (family) => {
		const near = ask(plantedWorld(), toPod('b'), { family });
		expect(near).toMatchObject({ verdict: 'passes', deliveredTo: 'b.shop' });
		expect(near.steps.map(({ at }) => at)).toEqual(['switch ovn-default']);
		const far = ask(plantedWorld(), toPod('c'), { family });
		expect(far.verdict).toBe('passes');
		expect(far.steps.map(({ at }) => at)).toEqual(['switch ovn-default', 'router ovn-cluster', 'switch second']);
	});

	it('the world outside, through the sender’s own node', () => {
		const nodes = new Map([['n1', { addresses: [ip('172.30.0.1')], isReady: true, trouble: undefined }]]);
		const out = ask(plantedWorld(), toAddress('192.0.2.1'), {}, { ...nothingObserved, nodes });
		expect(out).toMatchObject({ verdict: 'passes', deliveredTo: 'node-n1' });
		expect(out.summary).toContain('leaves the cluster through node n1');
	});

	it('a node, through that node’s own port', () => {
		expect(ask(plantedWorld(), toAddress('172.30.0.2')).deliveredTo).toBe('node-n2');
	});

	it('a ping of the gateway, which the router answers', () => {
		expect(ask(plantedWorld(), toAddress('10.16.0.1'), { protocol: 'icmp' })).toMatchObject({ verdict: 'passes' });
		expect(ask(plantedWorld(), toAddress('10.16.0.1'))).toMatchObject({ verdict: 'denied', reason: 'router-address' });
	});

	it('a Service, at each of its endpoints', () => {
		const world = plantedWorld();
		world.set('Service', 'shop/web', web);
		const endpoints = ['10.16.0.3', '10.17.0.4'].map((address) => ({ address, isReady: true, isServing: true, node: '' }));
		world.set('EndpointSlice', 'shop/web', { service: 'shop/web', family: 4, endpoints, ports: { '': 8080 } });
		const answer = ask(world, toAddress('10.96.0.9', 'Service/shop/web'));
		expect(answer).toMatchObject({ verdict: 'passes', deliveredTo: 'b.shop', sent: { endpoint: '10.16.0.3:8080' } });
		pod(world, 'c', 4, { subnet: 'blue-net', block: '18' });
		const half = ask(world, toAddress('10.96.0.9', 'Service/shop/web'));
		expect(half.verdict).toBe('denied');
		expect(half.notes).toContain('1 of 2 endpoints are out of reach');
	});

	it('another VPC, once both are joined and know the way', () => {
		const world = plantedWorld();
		const link = (name: string, remote: string, own: string, other: string, block: string) =>
			world.set(
				'Vpc',
				name,
				vpc(name, {
					peerings: [{ remote, networks: [`169.254.0.${own}/24`] }],
					staticRoutes: [{ cidr: block, nextHop: `169.254.0.${other}`, policy: 'dst-ip', table: '', isSymmetric: false }],
				}),
			);
		link('ovn-cluster', 'blue', '1', '2', '10.18.0.0/16');
		world.set('Vpc', 'blue', vpc('blue', { peerings: [{ remote: 'ovn-cluster', networks: ['169.254.0.2/24'] }] }));
		expect(ask(world, toPod('d'))).toMatchObject({ verdict: 'denied', reason: 'no-route', object: 'Vpc/blue' });
		link('blue', 'ovn-cluster', '2', '1', '10.16.0.0/16');
		expect(ask(world, toPod('d'))).toMatchObject({ verdict: 'passes', deliveredTo: 'd.shop' });
	});
});

describe('what does not pass, and the object at fault', () => {
	it('another VPC', () => {
		expect(ask(plantedWorld(), toPod('d'))).toMatchObject({ reason: 'other-vpc', object: 'Vpc/ovn-cluster', path: 'spec.vpcPeerings' });
	});

	it('another VPC, where somebody of the sender’s has the address', () => {
		const world = plantedWorld();
		pod(world, 'd', 3, { subnet: 'blue-net' });
		expect(ask(world, toPod('d'))).toMatchObject({ reason: 'other-vpc', deliveredTo: 'b.shop' });
	});

	it('an address that nobody has', () => {
		expect(ask(plantedWorld(), toAddress('10.17.0.99'))).toMatchObject({ reason: 'no-such-address', object: 'Subnet/second' });
		expect(ask(plantedWorld(), toAddress('10.16.0.99'))).toMatchObject({ reason: 'no-such-address', object: 'Subnet/ovn-default' });
	});

	it('no route', () => {
		const world = plantedWorld();
		const from = { object: 'Pod/shop/d', port: 'd.shop' };
		expect(ask(world, toAddress('192.0.2.1'), { from })).toMatchObject({
			reason: 'no-route',
			object: 'Vpc/blue',
			path: 'spec.staticRoutes',
		});
	});

	it('a policy of the router', () => {
		const world = plantedWorld();
		const drop = { priority: 31_500, match: 'ip4.dst == 10.17.0.0/16', action: 'drop', nextHops: [] } as const;
		world.set('Vpc', 'ovn-cluster', vpc('ovn-cluster', { policyRoutes: [drop] }));
		expect(ask(world, toPod('c'))).toMatchObject({ reason: 'route-policy', object: 'Vpc/ovn-cluster' });
		expect(ask(world, toPod('b')).verdict).toBe('passes');
	});

	it('no address yet', () => {
		const waiting = new Map([['Pod/shop/new', 'subnet ovn-default has no free address']]);
		const answer = ask(plantedWorld(), toPod('new'), {}, { ...nothingObserved, waiting });
		expect(answer).toMatchObject({ reason: 'no-address', object: 'Pod/shop/new' });
		expect(answer.summary).toContain('no free address');
	});

	it('a family that it does not have', () => {
		const world = plantedWorld();
		pod(world, 'b', 3, { v6: undefined });
		expect(ask(world, toPod('b'), { family: 6 })).toMatchObject({ reason: 'no-address', object: 'Pod/shop/b' });
	});

	it('a node that is down', () => {
		const nodes = new Map([['n2', { addresses: [], isReady: false, trouble: 'the kubelet says nothing' }]]);
		expect(ask(plantedWorld(), toPod('b'), {}, { ...nothingObserved, nodes })).toMatchObject({ reason: 'node-down', object: 'Node/n2' });
	});

	it('a machine that is past the switch', () => {
		const observed = { ...nothingObserved, pastSwitch: new Set(['b.shop']) };
		expect(ask(plantedWorld(), toPod('b'), {}, observed)).toMatchObject({
			...{ reason: 'past-switch', object: 'Pod/shop/b' },
			summary: expect.stringContaining('is on a NIC of its node, past the switch'),
		});
	});

	it('too large a packet', () => {
		const observed = { ...nothingObserved, mtus: new Map([['second', 1400]]), betweenNodes: 1442 };
		expect(ask(plantedWorld(), toPod('c'), { size: 1420 }, observed)).toMatchObject({
			reason: 'mtu',
			object: 'Subnet/second',
			path: 'spec.mtu',
		});
		expect(ask(plantedWorld(), toPod('b'), { size: 1500 }, observed)).toMatchObject({ reason: 'mtu', object: 'Subnet/ovn-default' });
		expect(ask(plantedWorld(), toPod('b'), { size: 1442 }, observed)).toMatchObject({ verdict: 'passes', notes: [] });
		const note = 'packets of more than 1400 bytes do not pass, but Subnet ovn-default has the MTU 1442 (spec.mtu)';
		expect(ask(plantedWorld(), toPod('c'), {}, observed)).toMatchObject({ verdict: 'passes', notes: [note] });
	});

	it('port security', () => {
		const from = { object: 'Pod/shop/a', port: 'a.shop', address: ip('10.16.0.77') };
		expect(ask(plantedWorld(), toPod('b'), { from })).toMatchObject({ reason: 'port-security', object: 'Pod/shop/a' });
	});

	it('a Service without endpoints', () => {
		const world = plantedWorld();
		world.set('Service', 'shop/web', web);
		expect(ask(world, toAddress('10.96.0.9', 'Service/shop/web'))).toMatchObject({ reason: 'no-endpoints', object: 'Service/shop/web' });
	});

	it('routes that send it round and round', () => {
		const world = plantedWorld();
		const link = (name: string, remote: string, own: string, other: string) =>
			world.set(
				'Vpc',
				name,
				vpc(name, {
					peerings: [{ remote, networks: [`169.254.0.${own}/24`] }],
					staticRoutes: [{ cidr: '192.0.2.0/24', nextHop: `169.254.0.${other}`, policy: 'dst-ip', table: '', isSymmetric: false }],
				}),
			);
		link('ovn-cluster', 'blue', '1', '2');
		link('blue', 'ovn-cluster', '2', '1');
		expect(ask(world, toAddress('192.0.2.1'))).toMatchObject({ reason: 'loop' });
	});
});

it('is readable', () => {
	expect(formatAnswers([4, 6].map((family) => ask(plantedWorld(), toPod('d'), { family: family as 4 | 6 })))).toMatchInlineSnapshot(`
		"Pod shop/a -> Pod shop/d, TCP 80, IPv4 and IPv6
		denied: Pod shop/a is in VPC ovn-cluster, Pod shop/d in VPC blue, and no route leads there
		  object  Vpc ovn-cluster
		  field   spec.vpcPeerings
		  fix     join the VPCs by spec.vpcPeerings and spec.staticRoutes of Vpc ovn-cluster and Vpc blue
		  way     switch ovn-default: a.shop -> ovn-default-ovn-cluster
		          router ovn-cluster: a policy sends it to 100.64.0.2, by Node n1
		          router ovn-cluster: ovn-cluster-ovn-default -> ovn-cluster-join next hop 100.64.0.2
		          switch join: join-ovn-cluster -> node-n1"
	`);
});

it('meets itself behind a Service under the Service’s address', () => {
	const world = plantedWorld();
	world.set('Service', 'shop/web', web);
	world.set('EndpointSlice', 'shop/web', slice('', 4, ['10.16.0.2'], { service: 'shop/web' }));
	const vip = toAddress('10.96.0.9', 'Service/shop/web');
	expect(ask(world, vip)).toMatchObject({ verdict: 'passes', deliveredTo: 'a.shop' });
	const subject = { namespaces: 'shop', pods: {} };
	pod(world, 'a', 2, { namespace: 'shop' });
	const rules = [
		{
			path: 'spec.ingress[0].from[0]',
			direction: 'ingress',
			action: 'allow',
			peer: { kind: 'selector', selector: selectorKey(subject) },
			traffic: undefined,
		},
	] as const;
	const facts = { owner: 'NetworkPolicy/shop/own', subject: selectorKey(subject), isolates: ['ingress'], rules, priority: 0 } as const;
	new PolicySet(world).set('NetworkPolicy', 'shop/own', { facts, selectors: [subject], portNames: [] });
	expect(ask(world, vip)).toMatchObject({ verdict: 'denied', object: 'NetworkPolicy/shop/own' });
});

it('reaches a Vip at whoever may have it, and may send from it', () => {
	const world = plantedWorld();
	const base = { name: 'shared', lease: 'vip-shared', subnet: 'ovn-default', namespace: '', selector: {}, type: '' } as const;
	world.set('Vip', 'shared', { ...base, v4: '10.16.0.50', v6: undefined, mac: '02:58:0a:10:00:32' });
	pod(world, 'b', 3, { node: 'n2', vips: ['shared'] });
	expect(ask(world, toAddress('10.16.0.50'))).toMatchObject({ verdict: 'passes', deliveredTo: 'b.shop' });
	const from = { object: 'Pod/shop/b', port: 'b.shop', address: ip('10.16.0.50') };
	expect(ask(world, toPod('a'), { from })).toMatchObject({ verdict: 'passes', deliveredTo: 'a.shop' });
	expect(ask(world, toPod('a'), { from: { ...from, address: ip('10.16.0.51') } })).toMatchObject({ reason: 'port-security' });
});

it('does not say that nobody allowed what no rule is about', () => {
	const world = plantedWorld();
	const acls = [
		{ path: 'spec.acls[0]', direction: 'ingress', match: 'tcp.dst == 81', action: 'allow' },
		{ path: 'spec.acls[1]', direction: 'ingress', match: 'tcp.dst == 82', action: 'drop' },
	] as const;
	world.set('Subnet', 'second', subnet('second', { blocks: block('17'), acls }));
	expect(ask(world, toPod('c')).summary).toBe('passes: Pod shop/a reaches Pod shop/c; no rule is about it');
	expect(ask(world, toPod('c'), { targetPort: 82 })).toMatchObject({ object: 'Subnet/second', path: 'spec.acls[1]' });
});
