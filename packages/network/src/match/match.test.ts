import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, type PacketFields, type Surroundings } from './evaluate.ts';
import { referencesOf } from './expression.ts';
import { parseMatch } from './parse.ts';
import { printMatch } from './print.ts';
import { anyExpression, anyPacket } from './testing/arbitrary.ts';

const tcp: PacketFields = {
	inport: 'a',
	'eth.type': 0x800n,
	'ip.proto': 6n,
	'ip4.src': 0x0a000001n,
	'ip4.dst': 0x0a000002n,
	'tcp.dst': 80n,
	ct_state: 0x21n,
};
const around: Surroundings = {
	addressSet: (name) => ({ web: ['10.0.0.0/31', 'fd00::1'], empty: [] })[name],
	isInGroup: (port, group) => ({ all: true, rest: port === 'b' })[group],
	isResident: (port) => port === 'here',
};
const holds = (text: string) => matches(parseMatch(text), tcp, around);

describe('a match expression', () => {
	it('prints to what reads back to the same', () => {
		fc.assert(
			fc.property(anyExpression, (expression) => {
				expect(parseMatch(printMatch(expression))).toEqual(expression);
			}),
		);
	});

	it('holds for a packet exactly when its negation does not, within the prerequisites', () => {
		const within = { ...tcp, 'tcp.src': 40_000n };
		const either = fc.constantFrom('tcp.dst == 80', 'tcp.dst < 79', 'ip4.src == {10.0.0.1, 10.0.0.9}', 'ip4.dst != $web', 'eth.mcast');
		fc.assert(
			fc.property(fc.array(either, { minLength: 2 }), fc.constantFrom('&&', '||'), (parts, sign) => {
				const text = parts.join(` ${sign} `);
				expect(matches(parseMatch(`!(${text})`), within, around)).toBe(!matches(parseMatch(text), within, around));
			}),
		);
	});

	it('is evaluated without an exception, whatever the packet', () => {
		fc.assert(fc.property(anyExpression, anyPacket, (expression, packet) => typeof matches(expression, packet, around) === 'boolean'));
	});

	it.each([
		['1', true],
		['ip4 && tcp.dst == 80', true],
		['79 < tcp.dst <= 80', true],
		['tcp.dst > 80', false],
		['ip4.src == 10.0.0.0/24', true],
		['ip4.src == 10.0.0.0/255.255.255.0', true],
		['ip4.src == $web', true],
		['ip4.dst != $web', true],
		['ip4.src != {10.0.0.1, 10.0.0.9}', false],
		['ip4.src == $empty', false],
		['ip6.src != $empty', true],
		['inport == @all && outport == @rest', false],
		['inport == {"a", "b"}', true],
		['is_chassis_resident("here") && !is_chassis_resident("there")', true],
		['!(udp.dst == 80)', false],
		['ct.new && !ct.est', true],
		['tcp.dst[4..6] == 5', true],
		['ip4.src[0]', true],
		['1 || ip4.src == $unheard', false],
		['0 || inport == @unheard', false],
	])('%s is %s', (text, expected) => {
		expect(holds(text)).toBe(expected);
	});

	it.each([
		['', /missing|says nothing/],
		['ip4 && tcp || udp', /parenthesized/],
		['tcp.dst', /compared with/],
		['!tcp', /positively/],
		['ip.proto != 6', /equality/],
		['inport != "a"', /equality/],
		['tcp.dst < {80, 90}', /several values/],
		['tcp.dst == 65536', /wider/],
		['ip4.src == 10.0.0.1/24', /mask/],
		['ip4.src < 10.0.0.0/24', /masks/],
		['ip4.sauce == 10.0.0.1', /not a field/],
		['inport == 1', /another type/],
		['ip4.src == 10.0.0.1)', /follows/],
		['tcp.dst == 80 && "', /begins nothing/],
		['1 < tcp.dst > 9', /range/],
	])('%s is refused', (text, why) => {
		expect(() => parseMatch(text)).toThrow(why);
	});

	it('names the sets that it refers to', () => {
		const { addressSets, portGroups } = referencesOf(parseMatch('inport == @pg && !(ip4.src == {$one, 10.0.0.1} || ip4.dst == $two)'));
		expect([...addressSets, ...portGroups]).toEqual(['one', 'two', 'pg']);
	});
});
