import type { MasqueradeRule } from './node-network.ts';

const table = { family: 'inet', name: 'tapestry-node' } as const;
const chain = { family: table.family, table: table.name, name: 'postrouting' } as const;

/**
 * The node's table as one nft transaction in JSON (libnftables-json(5)): it replaces the whole table, so that what is there afterwards does not depend on
 * what was there before. The hook's priority is the number of `srcnat`.
 */
export function masqueradeRuleset(rules: readonly MasqueradeRule[]): string {
	const commands = [
		// Deleting a table that does not exist is an error; adding one that does is not.
		{ add: { table } },
		{ delete: { table } },
		{ add: { table } },
		{ add: { chain: { ...chain, type: 'nat', hook: 'postrouting', prio: 100, policy: 'accept' } } },
		...rules.map(({ family, sources, inside }) => ({
			add: {
				rule: {
					family: chain.family,
					table: chain.table,
					chain: chain.name,
					comment: 'what leaves the VPC gets the address of the node',
					expr: [match('==', family, 'saddr', sources), match('!=', family, 'daddr', inside), { masquerade: null }],
				},
			},
		})),
	];
	return JSON.stringify({ nftables: commands });
}

function match(op: '==' | '!=', family: 4 | 6, field: 'saddr' | 'daddr', cidrs: readonly string[]): object {
	const prefixes = cidrs.map((cidr) => {
		const [addr, len] = cidr.split('/');
		return { prefix: { addr, len: Number(len) } };
	});
	return { match: { op, left: { payload: { protocol: family === 4 ? 'ip' : 'ip6', field } }, right: { set: prefixes } } };
}
