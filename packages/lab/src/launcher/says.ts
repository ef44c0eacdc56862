import type { Readable } from 'node:stream';

/** Resolves when a program has written this. What it writes can be read beside. A socket is there before it is listened on, so its file tells nothing. */
export async function says(output: Readable, text: string, signal: AbortSignal): Promise<void> {
	const said = Promise.withResolvers<void>();
	let rest = '';
	const look = (chunk: string): void => {
		rest += chunk;
		if (rest.includes(text)) said.resolve();
		rest = rest.slice(-text.length);
	};
	const onAbort = (): void => said.reject(signal.reason);
	signal.throwIfAborted();
	signal.addEventListener('abort', onAbort, { once: true });
	output.on('data', look);
	try {
		await said.promise;
	} finally {
		output.off('data', look);
		signal.removeEventListener('abort', onAbort);
	}
}
