import type { KubeClient, KubeObject, ObjectList, WatchEvent } from '../types.ts';

/** One answer to a list: a collection, or an error to throw. */
export type ListAnswer = ObjectList<KubeObject> | Error;

export interface WatchCall {
	readonly resourceVersion: string;
	push(event: WatchEvent<KubeObject>): void;
	end(error?: Error): void;
}

/** A KubeClient whose lists answer from a queue and whose watches the test feeds. Other methods are not there. */
export interface ScriptedClient {
	readonly client: KubeClient;
	readonly lists: ListAnswer[];
	listed: number;
	readonly watches: WatchCall[];
	/** Resolves when the `count`th watch is open. */
	watching(count: number): Promise<WatchCall>;
}

export function createScriptedClient(): ScriptedClient {
	const waiting: { readonly count: number; readonly resolve: (call: WatchCall) => void }[] = [];
	const script: ScriptedClient = {
		lists: [],
		listed: 0,
		watches: [],
		watching(count) {
			const open = script.watches[count - 1];
			return open ? Promise.resolve(open) : new Promise((resolve) => waiting.push({ count, resolve }));
		},
		client: {
			async list() {
				script.listed += 1;
				const answer = script.lists.shift();
				if (answer === undefined) throw new Error('unexpected list');
				if (answer instanceof Error) throw answer;
				return answer as never;
			},
			async *watch(_resource: unknown, options: Parameters<KubeClient['watch']>[1]) {
				const queue: (WatchEvent<KubeObject> | { readonly error: Error | undefined })[] = [];
				let wake = Promise.withResolvers<void>();
				const put = (item: (typeof queue)[number]): void => {
					queue.push(item);
					wake.resolve();
				};
				options.signal?.addEventListener('abort', () => put({ error: options.signal?.reason as Error }), { once: true });
				const call = { resourceVersion: options.resourceVersion, push: put, end: (error?: Error) => put({ error }) };
				script.watches.push(call);
				for (const { resolve } of waiting.filter((entry) => entry.count === script.watches.length)) resolve(call);
				for (;;) {
					const item = queue.shift();
					if (item === undefined) {
						await wake.promise;
						wake = Promise.withResolvers();
					} else if ('error' in item) {
						if (item.error) throw item.error;
						return;
					} else yield item as never;
				}
			},
		} as unknown as KubeClient,
	};
	return script;
}
