import fc from 'fast-check';
import type { PacketFields } from '../evaluate.ts';
import type { Constant, Expression, NumberConstant, Relation } from '../expression.ts';

// Few values, so that random packets and random expressions meet often.
const v4 = [0x0a000001n, 0x0a000002n, 0x0a000102n, 0xc0a80001n];
const v6 = [
	0xfd00_0000_0000_0000_0000_0000_0000_0001n,
	0xfd00_0000_0000_0000_0000_0000_0000_0002n,
	0xfe80_0000_0000_0000_0000_0000_0000_0001n,
];
const macs = [0x0200_0000_0001n, 0x0200_0000_0002n];
const ports = [53n, 80n, 443n, 8080n];

const number = (form: NumberConstant['form'], values: readonly bigint[]): fc.Arbitrary<Constant> =>
	fc.constantFrom(...values).map((value) => ({ kind: 'number', form, value }));

const block = (form: 'ip4' | 'ip6', values: readonly bigint[]): fc.Arbitrary<Constant> => {
	const width = form === 'ip4' ? 32 : 128;
	return fc.tuple(fc.constantFrom(...values), fc.integer({ min: 0, max: width })).map(([value, prefix]) => {
		const mask = ((1n << BigInt(prefix)) - 1n) << BigInt(width - prefix);
		return { kind: 'number', form, value: value & mask, mask } as const;
	});
};

const ordinalCompare = (name: string, constant: fc.Arbitrary<Constant>, isMasked = false): fc.Arbitrary<Expression> => {
	const equality = fc.tuple(fc.constantFrom<Relation>('==', '!='), fc.array(constant, { minLength: 1, maxLength: 3 }));
	const order = fc.tuple(
		fc.constantFrom<Relation>('<', '<=', '>', '>='),
		constant.map((one) => [one]),
	);
	return (isMasked ? equality : fc.oneof(equality, order)).map(([relation, constants]) => ({
		kind: 'compare',
		field: { name },
		relation,
		constants,
	}));
};

/** Tests of fields without order, which may not stand under `!`. */
const nominalCompare = (name: string, constant: fc.Arbitrary<Constant>): fc.Arbitrary<Expression> =>
	fc.array(constant, { minLength: 1, maxLength: 2 }).map((constants) => ({ kind: 'compare', field: { name }, relation: '==', constants }));

const flag = (...names: readonly string[]): fc.Arbitrary<Expression> =>
	fc.constantFrom(...names).map((name) => ({ kind: 'flag', field: { name } }));

const ordinalLeaf = fc.oneof(
	ordinalCompare('ip4.src', fc.oneof(number('ip4', v4), number('hexadecimal', v4))),
	ordinalCompare('ip4.dst', block('ip4', v4), true),
	ordinalCompare('ip6.src', number('ip6', v6)),
	ordinalCompare('ip6.dst', block('ip6', v6), true),
	ordinalCompare('eth.src', number('mac', macs)),
	ordinalCompare('tcp.dst', number('decimal', ports)),
	ordinalCompare('udp.dst', number('decimal', ports)),
	ordinalCompare('sctp.dst', number('decimal', ports)),
	fc.constantFrom<Expression>(
		{
			kind: 'compare',
			field: { name: 'tcp.dst', bits: { low: 0, high: 3 } },
			relation: '==',
			constants: [{ kind: 'number', form: 'decimal', value: 0n }],
		},
		{ kind: 'flag', field: { name: 'ip4.src', bits: { low: 1, high: 1 } } },
		{ kind: 'constant', value: true },
		{ kind: 'constant', value: false },
	),
	flag('eth.mcast', 'ip4.mcast', 'eth.bcast'),
);
const nominalLeaf = fc.oneof(
	flag('ip', 'ip4', 'ip6', 'tcp', 'udp', 'sctp', 'icmp', 'icmp4', 'icmp6', 'nd', 'arp'),
	nominalCompare('ip.proto', number('decimal', [1n, 6n, 17n, 58n, 132n])),
	nominalCompare('icmp4.type', number('decimal', [0n, 8n])),
	nominalCompare('icmp6.type', number('decimal', [128n, 135n])),
);

function nested(leaf: fc.Arbitrary<Expression>): fc.Arbitrary<Expression> {
	return fc.letrec<{ tree: Expression }>((tie) => ({
		tree: fc.oneof(
			{ maxDepth: 3, withCrossShrink: true },
			leaf,
			fc
				.tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('tree'), { minLength: 2, maxLength: 3 }))
				.map(([kind, parts]): Expression => ({ kind, parts })),
		),
	})).tree;
}

const negation = nested(ordinalLeaf).map((part): Expression => ({ kind: 'not', part }));

/** Expressions that OVN accepts. */
export const anyExpression: fc.Arbitrary<Expression> = nested(fc.oneof(ordinalLeaf, nominalLeaf, negation));

/** First packets of connections between a few addresses and ports. */
export const anyPacket: fc.Arbitrary<PacketFields> = fc
	.record({
		family: fc.constantFrom(4, 6),
		protocol: fc.constantFrom('tcp', 'udp', 'sctp', 'icmp'),
		source: fc.nat(2),
		target: fc.nat(2),
		port: fc.constantFrom(...ports),
	})
	.map(({ family, protocol, source, target, port }) => {
		const addresses = family === 4 ? v4 : v6;
		const protocols = { tcp: 6n, udp: 17n, sctp: 132n, icmp: family === 4 ? 1n : 58n } as const;
		const upper =
			protocol === 'icmp'
				? { [`icmp${family}.type`]: family === 4 ? 8n : 128n }
				: { [`${protocol}.src`]: 40_000n, [`${protocol}.dst`]: port };
		return {
			'eth.src': macs[0],
			'eth.dst': macs[1],
			'eth.type': family === 4 ? 0x800n : 0x86ddn,
			'ip.proto': protocols[protocol as keyof typeof protocols],
			'ip.ttl': 64n,
			[`ip${family}.src`]: addresses[source],
			[`ip${family}.dst`]: addresses[target],
			...upper,
		};
	});
