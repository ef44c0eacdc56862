// The pieces of libnftables-json(5) that the node's rules are made of.

export const table = { family: 'inet', name: 'tapestry-node' } as const;
export const protocolOf = { 4: 'ip', 6: 'ip6' } as const;

export const chain = (name: string, base: object = {}): object => ({
	add: { chain: { family: table.family, table: table.name, name, ...base } },
});
export const rule = (of: string, comment: string, expr: readonly object[]): object => ({
	add: { rule: { family: table.family, table: table.name, chain: of, comment, expr } },
});
