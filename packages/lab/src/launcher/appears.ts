import { existsSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Resolves when a file is there. Its directory must exist. */
export async function appears(path: string, signal: AbortSignal): Promise<void> {
	const found = Promise.withResolvers<void>();
	const look = (): void => {
		if (existsSync(path)) found.resolve();
	};
	const watcher = watch(dirname(path), look);
	const onAbort = (): void => found.reject(signal.reason);
	signal.addEventListener('abort', onAbort, { once: true });
	look();
	try {
		await found.promise;
	} finally {
		watcher.close();
		signal.removeEventListener('abort', onAbort);
	}
}
