import { CodedError, type Signal } from '@tapestry/base';
import type { WorkloadSource } from '../leases/workload-source.ts';
import type { PodRef, Workload } from '../port.ts';

/** Leases that a test hands out: no Kubernetes API. */
export class FakeWorkloads implements WorkloadSource {
	ready = true;
	readonly #workloads = new Map<string, Workload>();
	readonly #waiting = new Set<() => void>();

	set(pod: Pick<PodRef, 'namespace' | 'name'>, workload: Workload): void {
		this.#workloads.set(`${pod.namespace}/${pod.name}`, workload);
		for (const wake of this.#waiting) wake();
	}

	/** How many callers wait for a lease. */
	get waiting(): number {
		return this.#waiting.size;
	}

	workload(pod: PodRef, signal: Signal): Promise<Workload> {
		const find = (): Workload | undefined => this.#workloads.get(`${pod.namespace}/${pod.name}`);
		return new Promise((resolve, reject) => {
			const wake = (): void => {
				const found = find();
				if (!found && !signal.aborted) return;
				this.#waiting.delete(wake);
				if (found) resolve(found);
				else reject(new CodedError('AGENT_NO_LEASE', `pod ${pod.namespace}/${pod.name} has no lease`, { cause: signal.reason }));
			};
			this.#waiting.add(wake);
			signal.addEventListener('abort', wake, { once: true });
			wake();
		});
	}
}
