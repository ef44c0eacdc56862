import { describe, expect, it } from 'vitest';
import { chooseProbes, type Endpoint } from './cells.ts';

const pod = (name: string, node: string, addresses: readonly string[]): Endpoint => ({
	kind: 'pod',
	namespace: 'demo',
	name,
	node,
	addresses,
});

describe('chooseProbes', () => {
	const web = pod('web', 'n1', ['10.16.0.2', 'fd00::2']);
	const api = pod('api', 'n1', ['10.16.0.3', 'fd00::3']);
	const far = pod('far', 'n2', ['10.16.0.4']);

	it('pairs by place and family', () => {
		const cells = chooseProbes([web, api, far]);
		const found = (row: string, column: string) => cells.find((cell) => cell.row === row && cell.column === column)?.probe;
		expect(found('pod -> pod', 'same node IPv6')).toMatchObject({ from: web, to: api, address: 'fd00::3' });
		expect(found('pod -> pod', 'other node IPv4')).toMatchObject({ from: web, to: far, address: '10.16.0.4' });
	});

	it('leaves a cell without such a pair empty, and never asks a workload about itself', () => {
		const cells = chooseProbes([web, far]);
		expect(cells).toHaveLength(16);
		expect(cells.filter(({ probe }) => probe).map(({ column }) => column)).toEqual(['other node IPv4']);
	});
});
