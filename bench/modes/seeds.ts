import { row, sizeName } from './report.ts';
import { type Comparison, payloads, seriesOf } from './series.ts';
import { median } from './statistics.ts';

/**
 * Published figures, us, from 64k down to 64 bytes: "KubeVirt 网络深度探索" (KCD Beijing 2025), a VM's own tap in OVS, through bridge and veth, and past
 * them by tc. Zero stands for what was not measured.
 */
const talk = {
	tcp: {
		tap: [135, 87.4, 71.2, 59.5, 57.8, 55.3, 48.9, 49.5, 47.3, 49.0, 48.5],
		bridge: [133, 92.1, 74.6, 68.3, 65.8, 60.2, 55.1, 54.9, 54.2, 54.5, 55.7],
		tcredirect: [134, 94.6, 74.7, 61.1, 60.7, 57.1, 51.3, 50.5, 49.3, 51.3, 49.9],
	},
	udp: {
		tap: [0, 250, 138, 85.0, 63.1, 58.1, 44.9, 43.6, 43.0, 42.7, 43.2],
		bridge: [458, 291, 157, 102, 74.8, 65.2, 49.1, 49.8, 49.7, 49.4, 48.5],
		tcredirect: [0, 268, 151, 90.4, 68.8, 60.6, 46.6, 45.7, 45.4, 45.0, 44.5],
	},
} as const;

/** qperf between pods of one cluster, on one node and on two: latency in us, throughput in Gbit/s. */
const pods = {
	'same node': { tcp: 47.7, udp: 28.5, gigabits: 1.03 },
	'other node': { tcp: 145, udp: 144, gigabits: 2.4 },
	'node to node': { tcp: 86.8, udp: 98.7, gigabits: 8.99 },
} as const;

/**
 * How much slower a mode is than its own table's bare tap, there and here. Machines, guests and datapaths differ: only such ratios can be laid side
 * by side at all.
 */
export function renderAgainstTalk(ours: Comparison): string {
	const lines = ['## Against the published table (002), as ratios to the bare tap of each table', ''];
	for (const kind of ['tcp', 'udp'] as const) {
		lines.push(row([kind.toUpperCase(), ...payloads.map(sizeName)]), `|${'---|'.repeat(payloads.length + 1)}`);
		for (const mode of ['bridge', 'tcredirect'] as const) {
			const there = payloads.map((size) => ratio(published(kind, mode, size), published(kind, 'tap', size)));
			const here = payloads.map((size) => ratio(measured(ours, mode, kind, size), measured(ours, ours.baseline, kind, size)));
			lines.push(row([`${mode}, published`, ...there]), row([`${mode}, here`, ...here]));
		}
		const lift = payloads.map((size) => ratio(measured(ours, 'lift', kind, size), measured(ours, ours.baseline, kind, size)));
		lines.push(row(['lift, here', ...lift]), '');
	}
	return lines.join('\n');
}

/** Pods, as ratios to pods on one node. */
export function renderAgainstQperf(ours: Comparison): string {
	const header = ['ratio to pods on one node', 'tcp_lat', 'udp_lat', 'tcp_bw'];
	const lines = ['## Against the published qperf table (003), as ratios to pods on one node', '', row(header), '|---|---|---|---|'];
	const base = pods['same node'];
	for (const [name, { tcp, udp, gigabits }] of Object.entries(pods)) {
		const mine = (kind: 'tcp' | 'udp') => ratio(measured(ours, name, kind, 4096), measured(ours, 'same node', kind, 4096));
		const bandwidth = ratio(throughput(ours, name), throughput(ours, 'same node'));
		lines.push(row([`${name}, published`, ratio(tcp, base.tcp), ratio(udp, base.udp), ratio(gigabits, base.gigabits)]));
		lines.push(row([`${name}, here (4k)`, mine('tcp'), mine('udp'), bandwidth]));
	}
	return `${lines.join('\n')}\n`;
}

function published(kind: 'tcp' | 'udp', mode: 'tap' | 'bridge' | 'tcredirect', size: number): number {
	return talk[kind][mode][payloads.length - 1 - payloads.indexOf(size)] || Number.NaN;
}

function measured(comparison: Comparison, subject: string, kind: 'tcp' | 'udp', size: number): number {
	return median((seriesOf(comparison, subject, { kind, size })?.rounds ?? []).filter(Number.isFinite));
}

function throughput(comparison: Comparison, subject: string): number {
	return median((seriesOf(comparison, subject, { kind: 'throughput' })?.rounds ?? []).filter(Number.isFinite));
}

function ratio(value: number, base: number): string {
	return Number.isFinite(value / base) ? (value / base).toFixed(2) : 'n/a';
}
