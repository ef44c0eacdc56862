import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Namespace } from '@tapestry/linux';
import type { Answer, ProbeRequest, ServeRequest } from './answer.ts';

interface Reply {
	readonly id: number;
	readonly answer: Answer;
	readonly error?: string;
}

const program = new URL('prober-program.ts', import.meta.url);

/** Sends and answers inside a network namespace, by a thread that lives there; many probes are in flight at once. */
export class Prober implements AsyncDisposable {
	readonly #worker: Worker;
	readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
	#next = 0;

	/** @param path of the namespace, as this process sees it */
	static async open(path: string): Promise<Prober> {
		using namespace = Namespace.open(path);
		// A new thread is in the namespaces of the one that makes it.
		const worker = namespace.run(() => new Worker(program, { execArgv: ['--disable-warning=ExperimentalWarning'] }));
		await once(worker, 'online');
		return new Prober(worker);
	}

	private constructor(worker: Worker) {
		this.#worker = worker;
		worker.on('message', ({ id, answer, error }: Reply) => {
			const waiting = this.#waiting.get(id);
			this.#waiting.delete(id);
			if (error === undefined) waiting?.resolve(answer);
			else waiting?.reject(new Error(error));
		});
		worker.on('error', (error) => {
			for (const { reject } of this.#waiting.values()) reject(error);
		});
	}

	probe(request: Omit<ProbeRequest, 'kind'>): Promise<Answer> {
		return this.#ask({ kind: 'probe', ...request });
	}

	/** Answers on the port from now on. */
	async serve(request: Omit<ServeRequest, 'kind'>): Promise<void> {
		await this.#ask({ kind: 'serve', ...request });
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#worker.terminate();
	}

	#ask(request: ProbeRequest | ServeRequest): Promise<Answer> {
		const id = this.#next++;
		const waiting = Promise.withResolvers<Answer>();
		this.#waiting.set(id, waiting);
		this.#worker.postMessage({ id, ...request });
		return waiting.promise;
	}
}
