import type { Logger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createReflector, type KubeClient, type Pod, pods, type Reflector } from '@tapestry/kube';
import { annotations, type IpLease, ipResource, machineOfLauncher } from '@tapestry/network';

/** When the API showed what of a machine, in milliseconds since the epoch. */
export interface Timeline {
	lease?: number;
	launcher?: number;
	scheduled?: number;
	/** The launcher's port is in the Northbound database. */
	routed?: number;
	/** The launcher's network is made and its container runs. */
	running?: number;
}

/** Follows leases and launchers and notes when they come. */
export class Timelines implements AsyncDisposable {
	readonly #pods: Reflector<Pod>;
	readonly #leases: Reflector<IpLease>;
	readonly #lines = new Map<string, Timeline>();
	readonly #namespace: string;

	constructor(deps: { readonly client: KubeClient; readonly log: Logger }, namespace: string) {
		this.#namespace = namespace;
		const following = { ...deps, clock: systemClock, random: Math.random };
		this.#pods = createReflector<Pod>(following, { resource: pods, namespace });
		this.#leases = createReflector<IpLease>(following, { resource: ipResource });
		this.#pods.onChange(({ after }) => after && this.#launcher(after));
		this.#leases.onChange(({ after }) => after && this.#note(after.metadata.name.split('.')[0] ?? '', 'lease'));
	}

	async synced(): Promise<void> {
		await Promise.all([this.#pods.synced(), this.#leases.synced()]);
	}

	of(machine: string): Timeline {
		return this.#lines.get(machine) ?? {};
	}

	/** Resolves when a machine has neither a launcher nor a lease any more. */
	async gone(machine: string): Promise<void> {
		const isGone = (): boolean =>
			![...this.#pods.objects.values()].some((pod) => this.#machineOf(pod) === machine) &&
			![...this.#leases.objects.keys()].some((key) => key === `${machine}.${this.#namespace}`);
		await new Promise<void>((resolve) => {
			const check = (): void => {
				if (!isGone()) return;
				stops.forEach((stop) => void stop());
				resolve();
			};
			const stops = [this.#pods.onChange(check), this.#leases.onChange(check)];
			check();
		});
		this.#lines.delete(machine);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all([this.#pods.close(), this.#leases.close()]);
	}

	#machineOf(pod: Pod): string | undefined {
		return machineOfLauncher(pod)?.slice(this.#namespace.length + 1);
	}

	#launcher(pod: Pod): void {
		const machine = this.#machineOf(pod);
		if (machine === undefined) return;
		this.#note(machine, 'launcher');
		if (pod.spec?.nodeName !== undefined) this.#note(machine, 'scheduled');
		if (pod.metadata.annotations?.[annotations.routed] === 'true') this.#note(machine, 'routed');
		if (pod.status?.phase === 'Running') this.#note(machine, 'running');
	}

	#note(machine: string, what: keyof Timeline): void {
		const line = this.#lines.get(machine) ?? {};
		this.#lines.set(machine, line);
		line[what] ??= Date.now();
	}
}
