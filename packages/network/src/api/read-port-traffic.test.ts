import { sentence } from '@tapestry/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { annotations } from './names.ts';
import { type PortTraffic, plainTraffic, writeTraffic } from './port-traffic.ts';
import { readTraffic } from './read-port-traffic.ts';

const { ingressRate, egressRate, ingressBurst, egressBurst, ingressBandwidth, egressBandwidth, mirror } = annotations;
const kept: PortTraffic = { ingress: { rate: 1000, burst: 2000 }, egress: { rate: 3000, burst: 4000 }, isMirrored: true };
const reasons = (asked: Readonly<Record<string, string>>) => readTraffic(asked).problems.map(({ reason }) => reason);

describe('readTraffic', () => {
	it('reads rates in Mbit/s and bursts in Mbit, each way apart', () => {
		const asked = { [ingressRate]: '3', [ingressBurst]: '6', [egressRate]: ' 0.5 ', [mirror]: 'true' };
		expect(readTraffic(asked)).toEqual({
			traffic: { ingress: { rate: 3000, burst: 6000 }, egress: { rate: 500, burst: 600 }, isMirrored: true },
			problems: [],
		});
	});

	it("reads Kubernetes' quantities, and Kube-OVN's annotation before them", () => {
		const asked = { [ingressBandwidth]: '10M', [egressBandwidth]: '1G', [egressRate]: '5' };
		const { traffic, problems } = readTraffic(asked);
		expect([traffic.ingress?.rate, traffic.egress?.rate, problems]).toEqual([10_000, 5000, []]);
	});

	it.each([{}, { [ingressRate]: '' }, { [ingressRate]: '0', [mirror]: 'false' }])('asks for nothing by %j', (asked) => {
		expect(readTraffic(asked, kept)).toEqual({ traffic: plainTraffic, problems: [] });
	});

	it.each([
		[{ [ingressRate]: '-1' }, 'RateMalformed'],
		[{ [ingressRate]: 'fast' }, 'RateMalformed'],
		[{ [ingressRate]: '1e3' }, 'RateMalformed'],
		[{ [egressRate]: '10M' }, 'RateMalformed'],
		[{ [egressRate]: '0.0001' }, 'RateMalformed'],
		[{ [egressRate]: '9'.repeat(400) }, 'RateMalformed'],
		[{ [egressRate]: '4294968' }, 'RateMalformed'],
		[{ [ingressBandwidth]: '10Mb' }, 'RateMalformed'],
		[{ [ingressBandwidth]: '5P' }, 'RateMalformed'],
		[{ [ingressRate]: '1', [ingressBurst]: '-2' }, 'BurstMalformed'],
		[{ [ingressRate]: '1', [ingressBurst]: '0.1' }, 'BurstMalformed'],
		[{ [egressRate]: '1', [egressBurst]: '5000000' }, 'BurstMalformed'],
		[{ [mirror]: 'yes' }, 'MirrorMalformed'],
		[{ [egressBurst]: '5' }, 'BurstWithoutRate'],
		[{ 'ovn.kubernetes.io/latency': '3', 'ovn.kubernetes.io/loss': '20' }, 'NotBuilt'],
	])('says what is wrong with %j', (asked, reason) => {
		expect(reasons(asked)).toEqual([reason]);
	});

	it('names the annotation, what it says and how to write it', () => {
		const [problem] = readTraffic({ [ingressRate]: '10Mbit' }).problems;
		expect(problem && sentence(problem)).toBe(
			'ovn.kubernetes.io/ingress_rate cannot be "10Mbit": it is not a number (fix: write the Mbit/s as a number, like 10 or 0.5)',
		);
	});

	it('keeps what was in force where it cannot read, and only there', () => {
		const { traffic } = readTraffic({ [ingressRate]: 'x', [egressRate]: '7', [egressBurst]: 'x', [mirror]: 'x' }, kept);
		expect(traffic).toEqual(kept);
		expect(readTraffic({ [ingressRate]: 'x', [egressRate]: '7' }, kept).traffic).toEqual({
			ingress: kept.ingress,
			egress: { rate: 7000, burst: 2800 },
			isMirrored: false,
		});
		expect(readTraffic({ [egressRate]: '7', [egressBurst]: 'x' }).traffic.egress).toEqual({ rate: 7000, burst: 2800 });
	});

	it('reads what was written, and never anything that OVN cannot take', () => {
		const limit = fc.option(
			fc.record({ rate: fc.integer({ min: 1, max: 4_294_967_295 }), burst: fc.integer({ min: 600, max: 4_294_967_295 }) }),
			{ nil: undefined },
		);
		fc.assert(
			fc.property(fc.record({ ingress: limit, egress: limit, isMirrored: fc.boolean() }), (traffic) => {
				const said = Object.entries(writeTraffic(traffic)).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
				expect(readTraffic(Object.fromEntries(said))).toEqual({ traffic, problems: [] });
			}),
		);
		const text = fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String), fc.constantFrom('1M', '0', '5G', '1.5'));
		fc.assert(
			fc.property(text, text, text, (rate, burst, bandwidth) => {
				const { egress } = readTraffic({ [egressRate]: rate, [egressBurst]: burst, [egressBandwidth]: bandwidth }).traffic;
				for (const number of egress ? [egress.rate, egress.burst] : []) {
					expect(Number.isSafeInteger(number) && number >= 1 && number <= 4_294_967_295).toBe(true);
				}
			}),
		);
	});
});
