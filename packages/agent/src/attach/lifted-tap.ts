import type { Clock, Logger } from '@tapestry/base';
import {
	deleteLink,
	findLink,
	findTapHolders,
	type Link,
	type LinkMonitor,
	moveLink,
	type Namespace,
	type NetlinkSocket,
	openRoute,
	removeIngressDrop,
	setLink,
	type TapHolder,
} from '@tapestry/linux';
import type { Uuid } from '@tapestry/network';
import { deadline } from '../deadline.ts';
import { type Observe, stopwatch } from '../metrics.ts';
import { Settler } from '../settler.ts';
import { type Attachment, attachmentKey } from './attachment.ts';
import { Handover } from './handover.ts';
import { handToSwitch, type SwitchSide } from './host-side.ts';
import { switchPort } from './switch-port.ts';
import { opensForVmm } from './vmm.ts';
import { makeTap, tapName } from './waiting-tap.ts';
import { silence } from './wiring.ts';

/** Milliseconds that one step of plugging or unplugging may take. */
const stepMs = 20_000;

export interface LiftedTapDeps extends SwitchSide {
	readonly clock: Clock;
	readonly log: Logger;
	readonly observe: Observe;
	readonly monitor: LinkMonitor;
}

/**
 * Keeps one machine's tap where it belongs. What to do follows from where the tap is and who holds it, never from the event that woke it: so a missed
 * event, a failed step and a restart of the agent all end the same way.
 *
 * | tap is                      | held by the VMM, all queues | then                                 |
 * |-----------------------------|-----------------------------|--------------------------------------|
 * | in the launcher's namespace | yes                         | move and rename to the node, plug in |
 * | in the launcher's namespace | not yet: libvirt opened it  | look again                           |
 * | on the node                 | yes                         | plug in, unless that is done         |
 * | on the node                 | no: the VMM ended           | unplug, move back under its old name |
 * | nowhere: somebody deleted it| -                           | unplug, make a new one for the VMM   |
 */
export class LiftedTap {
	readonly device: string;
	readonly #deps: LiftedTapDeps;
	readonly #attachment: Attachment;
	readonly #namespace: Namespace;
	readonly #isVmm: (executable: string) => boolean;
	readonly #route: NetlinkSocket;
	readonly #unwatch: () => void;
	readonly #settler: Settler;
	readonly #handover: Handover;
	#secured = false;
	#plugged = false;

	/** Takes over `namespace` and closes it with `stop`. */
	constructor(
		deps: LiftedTapDeps,
		options: { readonly attachment: Attachment; readonly namespace: Namespace; readonly isVmm: (executable: string) => boolean },
	) {
		this.#deps = deps;
		this.#attachment = options.attachment;
		this.#namespace = options.namespace;
		this.#isVmm = options.isVmm;
		this.device = options.attachment.device;
		this.#route = openRoute(options.namespace);
		this.#settler = new Settler(
			deps,
			(signal) => this.#settle(signal),
			(error) => deps.log.error('cannot bring a tap to its place', { attachment: attachmentKey(options.attachment), error }),
		);
		this.#handover = new Handover(deps.clock, () => void this.look());
		this.#unwatch = deps.monitor.watchLink(options.namespace, tapName, () => void this.look());
	}

	/** The tap may have changed. Resolves when it has been brought to its place, or that has failed. */
	look(): Promise<void> {
		return this.#settler.look();
	}

	/** The switch has changed or is back: a step that failed may work now, or somebody took the port away. */
	switchChanged(): void {
		this.#settler.retry();
		if (this.#plugged && !this.#isPlugged()) void this.look();
	}

	/** Stops looking; the tap stays where it is. */
	async stop(): Promise<void> {
		this.#unwatch();
		await this.#settler.stop();
		this.#handover.reset();
		this.#route[Symbol.dispose]();
		this.#namespace[Symbol.dispose]();
	}

	async #settle(signal: AbortSignal): Promise<void> {
		const before = findLink(this.#deps.host.route, this.device);
		if (before && !before.carrier) await this.#lower(signal);
		const waiting = findLink(this.#route, tapName);
		const lap = stopwatch(this.#deps.clock, this.#deps.observe);
		if (waiting && !before?.carrier && this.#isTaken(waiting)) {
			lap('lift-holder');
			await this.#lift();
			lap('lift-move');
		}
		const lifted = findLink(this.#deps.host.route, this.device);
		if (lifted) await this.#plug(lifted, signal);
		else if (!waiting) await this.#replace(signal);
	}

	/**
	 * Carrier rises with the first queue; a VMM whose second TUNSETIFF came after the move would silently make a new `tap0` in its namespace. Queues that it
	 * switched off until the guest wants them count too. And whoever looks at the tap before the VMM does (a probe, a script) must not have it taken away.
	 */
	#isTaken(tap: Link): boolean {
		const { queues } = this.#attachment;
		if (!tap.carrier) this.#handover.reset();
		if (!tap.carrier || (queues > 1 && (tap.queues?.used ?? 0) + (tap.queues?.off ?? 0) < queues)) return false;
		const holders: TapHolder[] = [];
		for (const holder of findTapHolders(this.#namespace.inode, tapName)) {
			holders.push(holder);
			if (!this.#isVmm(holder.executable)) continue;
			this.#handover.reset();
			return true;
		}
		if (holders.some(({ executable }) => opensForVmm(executable))) return this.#handover.waitsNoMore();
		this.#deps.log.info('a tap is held by something else than a VMM', { attachment: attachmentKey(this.#attachment), holders });
		return false;
	}

	/** Name and namespace change in one step: there is no moment at which the name is taken on either side. */
	#lift(): Promise<void> {
		return moveLink(this.#namespace, tapName, { name: this.device, namespace: this.#deps.host.namespace });
	}

	async #plug(tap: Link, signal: AbortSignal): Promise<void> {
		const { bridge, clock, observe } = this.#deps;
		this.#plugged = true;
		if (this.#isPlugged()) return this.#secure(tap);
		const lap = stopwatch(clock, observe);
		using limit = deadline(clock, stepMs, signal);
		const row = bridge.add(switchPort(this.#attachment), { signal: limit.signal });
		// While the database works. Open vSwitch may find the tap still down, which only lasts until it is secured.
		await Promise.all([row, this.#secure(tap)]);
		lap('lift-ovs');
		// Not part of the step: if the VMM ends before the flows are there, the tap has to go back without waiting for them.
		void this.#report(await row, lap, signal);
	}

	/** Once for each lift and each start of the agent, which may have ended between move and plug; and when somebody set the tap down. */
	async #secure(tap: Link): Promise<void> {
		if (this.#secured && tap.up) return;
		handToSwitch(this.#deps, this.#attachment);
		this.#secured = true;
	}

	/** A port that a later launcher of the same machine took over counts: taking it back would cut that one off. */
	#isPlugged(): boolean {
		const found = this.#deps.bridge.port(this.device);
		return found !== undefined && (found.ifaceId === this.#attachment.port.name || found.successor !== undefined);
	}

	async #report(row: Uuid, lap: (step: string) => void, signal: AbortSignal): Promise<void> {
		const { bridge, clock, log } = this.#deps;
		const about = { pod: this.#attachment.pod, device: this.device, port: this.#attachment.port.name };
		using limit = deadline(clock, stepMs, signal);
		try {
			await bridge.installed(row, limit.signal);
			lap('lift-flows');
			log.info('lifted a tap into the switch', about);
		} catch (error) {
			if (!signal.aborted) log.error('a lifted tap has no flows', { ...about, error });
		}
	}

	async #lower(signal: AbortSignal): Promise<void> {
		const { host, log } = this.#deps;
		const { port, pod } = this.#attachment;
		await this.#unplug(signal);
		this.#secured = false;
		// A privileged VMM that was quicker than this made a tap of its own: that one counts from now on.
		if (findLink(this.#route, tapName)) await deleteLink(this.device, host.namespace);
		else await moveLink(host.namespace, this.device, { name: tapName, namespace: this.#namespace });
		removeIngressDrop(host.namespace, this.device);
		silence(this.#namespace, tapName);
		setLink(this.#route, tapName, { mtu: port.mtu, arp: true, up: true });
		log.info('took a tap out of the switch: its VMM ended', { pod, device: this.device, port: port.name });
	}

	/** The next VMM finds a tap; one that held the old tap holds nothing any more and cannot be helped. */
	async #replace(signal: AbortSignal): Promise<void> {
		const { host, log } = this.#deps;
		const { port, pod } = this.#attachment;
		await this.#unplug(signal);
		removeIngressDrop(host.namespace, this.device);
		this.#secured = false;
		makeTap(this.#namespace, this.#route, this.#attachment);
		log.error('somebody deleted the tap of a machine: restart the machine if its VMM runs', { pod, device: this.device, port: port.name });
	}

	async #unplug(signal: AbortSignal): Promise<void> {
		const { bridge, clock } = this.#deps;
		this.#plugged = false;
		using limit = deadline(clock, stepMs, signal);
		await bridge.remove(this.device, { signal: limit.signal });
	}
}
