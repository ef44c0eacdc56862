import { annotations } from './names.ts';

/** What a port may send or receive: a bucket that fills at `rate` (kbit/s) and holds `burst` (kbit), as in ovn-nb(5), QoS.bandwidth. */
export interface RateLimit {
	readonly rate: number;
	readonly burst: number;
}

/** What is done to the traffic of a port beside carrying it. Ingress is what the workload receives. */
export interface PortTraffic {
	readonly ingress: RateLimit | undefined;
	readonly egress: RateLimit | undefined;
	/** Whether its packets are copied to the node's mirror device. */
	readonly isMirrored: boolean;
}

export type TrafficWay = 'ingress' | 'egress';
export const trafficWays: readonly TrafficWay[] = ['ingress', 'egress'];

export const plainTraffic: PortTraffic = { ingress: undefined, egress: undefined, isMirrored: false };

/** How users write each of it. */
export const trafficAnnotations = {
	ingress: { rate: annotations.ingressRate, burst: annotations.ingressBurst, bandwidth: annotations.ingressBandwidth },
	egress: { rate: annotations.egressRate, burst: annotations.egressBurst, bandwidth: annotations.egressBandwidth },
} as const;

/** Kube-OVN's annotations for linux-netem, which is not built. */
const disturbances = ['latency', 'jitter', 'loss', 'limit'].map((name) => `ovn.kubernetes.io/${name}`);

/** All annotations that are about a port's traffic. */
export const trafficKeys: readonly string[] = [
	...Object.values(trafficAnnotations).flatMap((own) => Object.values(own)),
	annotations.mirror,
	...disturbances,
];
export const disturbanceKeys: readonly string[] = disturbances;

/** Kube-OVN's annotations that say the same, null where there is nothing to say, as a merge patch wants it. */
export function writeTraffic(traffic: PortTraffic): Readonly<Record<string, string | null>> {
	const limits = trafficWays.flatMap((way) => {
		const limit = traffic[way];
		const { rate, burst } = trafficAnnotations[way];
		return [[rate, limit ? String(limit.rate / 1000) : null] as const, [burst, limit ? String(limit.burst / 1000) : null] as const];
	});
	return { ...Object.fromEntries(limits), [annotations.mirror]: traffic.isMirrored ? 'true' : null };
}
