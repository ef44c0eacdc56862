/** What is measured of a subject: latency by payload in bytes, or throughput. */
export interface Test {
	readonly kind: 'tcp' | 'udp' | 'throughput';
	/** Bytes; absent for throughput. */
	readonly size?: number;
}

/** All rounds of one test of one subject. */
export interface Series extends Test {
	readonly subject: string;
	/** One for each round: median one-way latency in microseconds, or MB/s. NaN where the round brought nothing. */
	readonly rounds: readonly number[];
	/** Of all single exchanges: 99 % were faster. */
	readonly p99: number;
	readonly lost: number;
	/** Why a round brought nothing, the first time. */
	readonly failure?: string;
}

/** One table: subjects that were measured in the same run, and the one that the others are compared with. */
export interface Comparison {
	readonly name: 'reflector' | 'machines' | 'pods' | 'vhost-user';
	readonly title: string;
	/** What the table does not show of the path, and of which size on it can be trusted. */
	readonly note: string;
	readonly baseline: string;
	readonly subjects: readonly { readonly name: string; readonly attachMs?: number; readonly note?: string }[];
	readonly series: readonly Series[];
}

/** 002's columns. */
export const payloads: readonly number[] = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
/** The most that fits into one datagram: 65,535 less the headers of IPv4 and UDP. */
export const largestDatagram = 65_507;

export function seriesOf({ series }: Pick<Comparison, 'series'>, subject: string, test: Test): Series | undefined {
	return series.find((one) => one.subject === subject && one.kind === test.kind && one.size === test.size);
}
