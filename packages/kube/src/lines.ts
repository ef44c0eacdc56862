/** Splits a byte stream into its lines (without the newline); a last line without one is dropped: it was cut off. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
	const decoder = new TextDecoder();
	// Parts of one long line are joined once, at its end: joining at each chunk would be quadratic.
	let parts: string[] = [];
	for await (const chunk of chunks) {
		const lines = decoder.decode(chunk, { stream: true }).split('\n');
		const rest = lines.pop() ?? '';
		for (const line of lines) {
			parts.push(line);
			const whole = parts.join('');
			parts = [];
			if (whole !== '') yield whole;
		}
		if (rest !== '') parts.push(rest);
	}
}
