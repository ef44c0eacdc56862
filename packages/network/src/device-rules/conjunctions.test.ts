import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, type PacketFields, parseMatch } from '../match/index.ts';
import { anyExpression, anyPacket } from '../match/testing/arbitrary.ts';
import { type Comparison, conjunctionsOf, type KnownPort } from './conjunctions.ts';

const sets = { web: ['10.0.0.0/31', 'fd00::1'], empty: [] };
const known: KnownPort = { side: 'outport', port: 'a', groups: ['all'], sets };
const around = {
	addressSet: (name: string) => sets[name as keyof typeof sets],
	isInGroup: (_: string, group: string) => group === 'all',
	isResident: () => false,
};

function passes({ field, low, width, relation, values }: Comparison, packet: PacketFields): boolean {
	const whole = packet[field];
	const value = ((typeof whole === 'bigint' ? whole : 0n) >> BigInt(low)) & ((1n << BigInt(width)) - 1n);
	const isAny = values.some(({ value: other, mask }) => (mask === undefined ? value : value & mask) === other);
	if (relation === '==' || relation === '!=') return isAny === (relation === '==');
	const other = values[0]?.value ?? 0n;
	return { '<': value < other, '<=': value <= other, '>': value > other, '>=': value >= other }[relation];
}

describe('conjunctionsOf', () => {
	it('means what the expression means', () => {
		fc.assert(
			fc.property(anyExpression, anyPacket, (expression, packet) => {
				const found = conjunctionsOf(expression, known);
				if (!('all' in found)) return;
				const holds = found.all.some((list) => list.every((one) => passes(one, packet)));
				expect(holds).toBe(matches(expression, { ...packet, outport: 'a' }, around));
			}),
			{ numRuns: 2000 },
		);
	});

	it.each([
		['outport == @all && ip4.src == $web', 1],
		['outport == @other && ip', 0],
		['outport == "a" && (ip4 || ip6)', 2],
		['ip4.src == $nowhere || ip6', 0],
		['ip4.src == $empty || ip6', 1],
		['is_chassis_resident("node-n1") && ip4', 0],
		['!(ip4.src == $web && tcp.dst == 80)', 3],
	])('%s: %i', (text, count) => {
		const found = conjunctionsOf(parseMatch(text), known);
		expect('all' in found && found.all).toHaveLength(count);
	});

	it('leaves out what no packet can meet, and what stands there already', () => {
		const twice = '(ip4.src == 10.0.0.1 || ip6.src == fd00::1)';
		const found = conjunctionsOf(parseMatch(`${twice} && ${twice} && (ip4 && tcp.dst == {80, 443} && tcp.dst == {443, 22})`), known);
		const [term = [], ...others] = 'all' in found ? found.all : [];
		expect(others).toEqual([]);
		expect(term.map(({ field }) => field)).toEqual(['eth.type', 'ip4.src', 'ip.proto', 'tcp.dst']);
		expect(term.at(-1)?.values.map(({ value }) => value)).toEqual([443n]);
		expect(conjunctionsOf(parseMatch('tcp.dst == 80 && tcp.dst == 443'), known)).toEqual({ all: [] });
	});

	it('says what it cannot say', () => {
		expect(conjunctionsOf(parseMatch('inport == "b"'), known)).toEqual({ why: 'it names the port at the other end' });
		const wide = Array.from({ length: 10 }, (_, bit) => `(tcp.dst != ${bit} || tcp.src != ${bit})`).join(' && ');
		expect(conjunctionsOf(parseMatch(wide), known)).toEqual({ why: expect.stringContaining('more than 512') });
	});
});
