/** An answer that `ping` has printed. */
export interface Answer {
	readonly sequence: number;
	/** When it came, in milliseconds since the epoch. */
	readonly at: number;
}

/**
 * The answer that a line of ping's output tells of, if it does. iputils' `ping -D` stamps the line itself; busybox' ping (in guests) does not, so there the
 * arrival of the line counts.
 */
export function parsePingLine(line: string, arrivedAt: number): Answer | undefined {
	const [, stamp, sequence] = /^(?:\[(\d+\.\d+)\] )?\d+ bytes from \S+ (?:icmp_)?seq=(\d+) /.exec(line) ?? [];
	if (sequence === undefined) return undefined;
	return { sequence: Number(sequence), at: stamp === undefined ? arrivedAt : Number(stamp) * 1000 };
}
