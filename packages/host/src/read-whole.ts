/** All bytes of a stream, such as a request's body; undefined when there are more than `limit`, and the rest is not read. */
export async function readWhole(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer | undefined> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of stream) {
		size += chunk.length;
		if (size > limit) return undefined;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}
