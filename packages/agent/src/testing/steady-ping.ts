/**
 * A ping(8) whose every packet counts. With a count alone it waits for the last reply no longer than for those before, with a deadline too it sends more
 * while one is late: so not the sums tell what was lost, but the numbers of the replies, which it has to print (no -q).
 */
export function steadyPing(
	address: string,
	{ count, intervalSeconds }: { readonly count: number; readonly intervalSeconds: number },
): readonly string[] {
	return ['ping', '-n', '-i', String(intervalSeconds), '-c', String(count), '-w', '60', address];
}

/** The numbers of the first `count` packets that nobody answered. */
export function unanswered(said: string, count: number): readonly number[] {
	const answered = new Set([...said.matchAll(/icmp_seq=(\d+) ttl=/g)].map(([, number]) => Number(number)));
	return Array.from({ length: count }, (_, index) => index + 1).filter((number) => !answered.has(number));
}
