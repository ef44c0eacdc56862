import type { Clock, Logger } from '@tapestry/base';
import { dropIngress, findLink, type LinkMonitor, removeIngressDrop, setLink, setNetworkSettings } from '@tapestry/linux';
import { annotations, type IpLease } from '@tapestry/network';
import type { HostSide } from '../attach/host-side.ts';
import { Settler } from '../settler.ts';
import { mirrorDevice, type PortMirror } from '../switch/port-mirror.ts';

export interface MirrorsDeps {
	readonly clock: Pick<Clock, 'after'>;
	readonly log: Logger;
	readonly host: HostSide;
	readonly monitor: LinkMonitor;
	readonly mirror: PortMirror;
	/** Resolves when `wanted` knows all; until then nothing is changed. */
	readonly synced: (signal: AbortSignal) => Promise<unknown>;
	/** Names of the logical ports to mirror. */
	readonly wanted: () => ReadonlySet<string>;
}

/** The ports whose packets are to be copied. */
export function mirroredPorts(leases: Iterable<IpLease>): ReadonlySet<string> {
	const wished = [...leases].filter(({ metadata }) => metadata.annotations?.[annotations.mirror] === 'true');
	return new Set(wished.map(({ metadata }) => metadata.name));
}

/**
 * Keeps the node's mirror: device `mirror0` with a copy of what the mirrored ports send and receive, for whoever listens on it; it is gone when nobody
 * is mirrored. Compared with what is there at every change, so that a port that is plugged in anew, Open vSwitch or an agent that starts again end alike.
 */
export class Mirrors implements AsyncDisposable {
	readonly #deps: MirrorsDeps;
	readonly #settler: Settler;
	readonly #unsubscribe: readonly (() => void)[];

	constructor(deps: MirrorsDeps) {
		this.#deps = deps;
		this.#settler = new Settler(
			deps,
			(signal) => this.#settle(signal),
			(error) => deps.log.error('cannot mirror ports', { error }),
		);
		this.#unsubscribe = [
			deps.monitor.watchLink(deps.host.namespace, mirrorDevice, () => void this.look()),
			deps.mirror.onChange(() => void this.look()),
		];
		void this.look();
	}

	/** What is wanted may have changed. Resolves when that has been acted upon. */
	look(): Promise<void> {
		return this.#settler.look();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const unsubscribe of this.#unsubscribe) unsubscribe();
		await this.#settler.stop();
	}

	async #settle(signal: AbortSignal): Promise<void> {
		const { host, mirror, synced, wanted } = this.#deps;
		await synced(signal);
		const isMirroring = await mirror.set(wanted(), { signal });
		const link = findLink(host.route, mirrorDevice);
		// Open vSwitch makes and removes the device when it sees the row, and tells when it has it as a port; that brings us back.
		if (isMirroring && link && !link.up && mirror.isPlugged(link)) this.#silence();
		if (!isMirroring && !link) removeIngressDrop(host.namespace, mirrorDevice);
	}

	/** What arrives is for those who listen beside the stack (AF_PACKET); the node itself must neither answer it nor say anything of its own. */
	#silence(): void {
		const { host } = this.#deps;
		setNetworkSettings(host.namespace, { [`ipv6/conf/${mirrorDevice}/disable_ipv6`]: 1 });
		dropIngress(host.namespace, mirrorDevice);
		setLink(host.route, mirrorDevice, { arp: false, up: true });
	}
}
