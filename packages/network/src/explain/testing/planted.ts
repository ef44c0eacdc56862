import { parseIp } from '@tapestry/base';
import { compileAll } from '../../compile/compiler.ts';
import { defaultWorld, lease, subnet, vpc } from '../../compile/testing/worlds.ts';
import type { LeaseFacts } from '../../world/objects.ts';
import type { World } from '../../world/world.ts';
import type { Answer } from '../answer.ts';
import { buildNetwork } from '../build-network.ts';
import { explain } from '../explain.ts';
import { nothingObserved, type Observed, type ReachQuestion, type Target } from '../question.ts';
import { snapshotOfFragments } from '../snapshot.ts';

export const ip = (text: string) => {
	const parsed = parseIp(text);
	if (!parsed) throw new Error(`${text} is no address`);
	return parsed;
};

/** A pod's lease in one of the subnets below; `number` makes its addresses. */
export function pod(world: World, name: string, number: number, more: Partial<LeaseFacts> & { readonly block?: string } = {}): void {
	const { block = '16', ...facts } = more;
	const hex = number.toString(16).padStart(2, '0');
	const octet = Number(block).toString(16).padStart(2, '0');
	const addresses = { v4: `10.${block}.0.${number}`, v6: `fd00:10:${block}::${number.toString(16)}`, mac: `02:58:0a:${octet}:00:${hex}` };
	world.set('IP', `${name}.shop`, lease(`${name}.shop`, { ...addresses, ...facts }));
}

export const block = (number: string) =>
	[
		{ family: 4, cidr: `10.${number}.0.0/16`, prefix: 16, gateway: `10.${number}.0.1` },
		{ family: 6, cidr: `fd00:10:${number}::/112`, prefix: 112, gateway: `fd00:10:${number}::1` },
	] as const;

/** Two nodes; pods a and b in the default subnet on both, c in another subnet, d in another VPC. */
export function plantedWorld(): World {
	const world = defaultWorld(2);
	world.set('Subnet', 'second', subnet('second', { blocks: block('17') }));
	world.set('Vpc', 'blue', vpc('blue'));
	world.set('Subnet', 'blue-net', subnet('blue-net', { vpc: 'blue', blocks: block('18'), servesServices: false }));
	pod(world, 'a', 2);
	pod(world, 'b', 3, { node: 'n2' });
	pod(world, 'c', 4, { subnet: 'second', block: '17', node: 'n2' });
	pod(world, 'd', 5, { subnet: 'blue-net', block: '18', node: 'n2' });
	return world;
}

export const toPod = (name: string): Target => ({ kind: 'workload', object: `Pod/shop/${name}`, port: `${name}.shop` });
export const toAddress = (text: string, object?: string): Target => ({ kind: 'address', object, address: ip(text) });

/** Asks from pod a, over TCP 80 in IPv4. */
export function ask(world: World, to: Target, more: Partial<ReachQuestion> = {}, observed: Observed = nothingObserved): Answer {
	const network = buildNetwork(snapshotOfFragments(compileAll(world)));
	const from = { object: 'Pod/shop/a', port: 'a.shop' };
	return explain(network, { from, to, family: 4, protocol: 'tcp', targetPort: 80, ...more }, observed);
}
