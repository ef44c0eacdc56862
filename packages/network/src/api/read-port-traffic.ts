import { readQuantity } from '@tapestry/base';
import { annotations } from './names.ts';
import {
	disturbanceKeys,
	type PortTraffic,
	plainTraffic,
	type RateLimit,
	type TrafficWay,
	trafficAnnotations,
	trafficWays,
} from './port-traffic.ts';
import type { Parsed, Problem } from './problem.ts';

type Annotations = Readonly<Record<string, string>>;

/** ovn-nb(5), QoS.bandwidth. */
const largest = 4_294_967_295;
/** What the kernel may pass in one piece (64 KiB, GSO_MAX_SIZE): of a bucket that holds less nothing of that size ever gets out. */
const smallestBurst = 600;
/** A sender that lost the end of a burst is silent for TCP's shortest timeout (200 ms, RFC 6298) or a few of them; meanwhile the bucket must not run over. */
const defaultBurstSeconds = 0.4;

/** Reasons for which an object is refused: nothing that comes later can make it right. */
export const malformedTraffic = ['RateMalformed', 'BurstMalformed', 'MirrorMalformed'] as const;

/** What the annotations of a workload ask for. Where they cannot be read it stays as it was: `kept`. */
export function readTraffic(
	asked: Annotations,
	kept: PortTraffic = plainTraffic,
): { readonly traffic: PortTraffic; readonly problems: readonly Problem[] } {
	const problems: Problem[] = [];
	const limitOf = (way: TrafficWay): RateLimit | undefined => {
		const rate = readRate(asked, way);
		const burst = readBurst(asked[trafficAnnotations[way].burst], trafficAnnotations[way].burst);
		for (const { problem } of [rate, burst]) if (problem) problems.push(problem);
		if (rate.problem) return kept[way];
		if (rate.value === undefined) {
			if (burst.value !== undefined) problems.push(burstAlone(way));
			return undefined;
		}
		const usual = { rate: rate.value, burst: defaultBurst(rate.value) };
		if (burst.problem) return kept[way] ?? usual;
		return burst.value === undefined ? usual : { rate: rate.value, burst: burst.value };
	};
	const [ingress, egress] = trafficWays.map(limitOf);
	const mirror = readMirror(asked[annotations.mirror]);
	if (mirror.problem) problems.push(mirror.problem);
	const disturbed = disturbanceKeys.filter((key) => (asked[key] ?? '').trim() !== '');
	if (disturbed.length > 0) problems.push(notBuilt(disturbed));
	return { traffic: { ingress, egress, isMirrored: mirror.problem ? kept.isMirrored : mirror.value }, problems };
}

/** Kube-OVN's own annotation counts where there are both. 0 is no limit, as in Kube-OVN. */
function readRate(asked: Annotations, way: TrafficWay): Parsed<number | undefined> {
	const { rate, bandwidth } = trafficAnnotations[way];
	const own = (asked[rate] ?? '').trim();
	const text = own || (asked[bandwidth] ?? '').trim();
	if (text === '') return { value: undefined };
	const name = own ? rate : bandwidth;
	const bits = own ? megabits(own) : readQuantity(text);
	const fix = own ? 'write the Mbit/s as a number, like 10 or 0.5' : 'write the bit/s as a quantity, like 10M';
	if (bits === undefined) return malformed('RateMalformed', name, text, own ? 'it is not a number' : 'it is not a quantity', fix);
	if (bits === 0) return { value: undefined };
	const kilobits = Math.round(bits / 1000);
	if (kilobits < 1) return malformed('RateMalformed', name, text, 'it is less than 1 kbit/s, which OVN cannot count', fix);
	if (kilobits > largest) return malformed('RateMalformed', name, text, 'it is more than 4294967 Mbit/s, the most that OVN can count', fix);
	return { value: kilobits };
}

function readBurst(asked: string | undefined, name: string): Parsed<number | undefined> {
	const text = (asked ?? '').trim();
	if (text === '') return { value: undefined };
	const fix = 'write the Mbit as a number, like 10, or leave it out';
	const bits = megabits(text);
	if (bits === undefined) return malformed('BurstMalformed', name, text, 'it is not a number', fix);
	if (bits === 0) return { value: undefined };
	const kilobits = Math.round(bits / 1000);
	if (kilobits < smallestBurst) {
		const why = `it is less than ${smallestBurst / 1000} Mbit: pieces of 64 KiB, in which the kernel passes TCP on, would never pass`;
		return malformed('BurstMalformed', name, text, why, fix);
	}
	return kilobits > largest ? malformed('BurstMalformed', name, text, 'it is more than 4294967 Mbit', fix) : { value: kilobits };
}

function readMirror(asked: string | undefined): Parsed<boolean> {
	const text = (asked ?? '').trim();
	if (['', 'true', 'false'].includes(text)) return { value: text === 'true' };
	return malformed('MirrorMalformed', annotations.mirror, text, 'it is neither true nor false', 'write "true", or remove it');
}

function megabits(text: string): number | undefined {
	return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000_000 : undefined;
}

function defaultBurst(rate: number): number {
	return Math.min(Math.max(Math.ceil(rate * defaultBurstSeconds), smallestBurst), largest);
}

function malformed(reason: (typeof malformedTraffic)[number], annotation: string, text: string, why: string, fix: string) {
	const what = `${annotation} cannot be ${JSON.stringify(text)}`;
	return { problem: { reason, field: `metadata.annotations[${annotation}]`, what, why, fix } };
}

function burstAlone(way: TrafficWay): Problem {
	const { rate, burst } = trafficAnnotations[way];
	return {
		reason: 'BurstWithoutRate',
		field: `metadata.annotations[${burst}]`,
		what: `${burst} has no effect`,
		why: `there is no ${rate}, so that nothing is held back`,
		fix: `set ${rate}, or remove ${burst}`,
	};
}

function notBuilt(keys: readonly string[]): Problem {
	return {
		reason: 'NotBuilt',
		what: `${keys.join(', ')} ${keys.length > 1 ? 'have' : 'has'} no effect`,
		why: 'disturbing traffic on purpose (linux-netem) is not built in this version',
		fix: 'remove the annotation; rates, bursts and mirrors work',
	};
}
