import { type Clock, CodedError, type Logger, type Signal } from '@tapestry/base';
import { vmmUser } from '@tapestry/host';
import { createTap, findLink, type LinkMonitor, setLink } from '@tapestry/linux';
import { modeMark } from '@tapestry/network';
import { deadline } from '../deadline.ts';
import { KeyedQueue } from '../keyed-queue.ts';
import { Settler } from '../settler.ts';
import {
	type Attachment,
	type AttachmentMode,
	type AttachmentState,
	attachmentKey,
	type DisconnectTarget,
	type SandboxInterface,
} from './attachment.ts';
import { handToSwitch, removeFromHost, type SwitchSide } from './host-side.ts';
import { missingTap, type NodeNeeds } from './node-needs.ts';
import { plugIn, plugState } from './switch-port.ts';

/** Milliseconds that one tap may take to be made anew. */
const stepMs = 20_000;

export interface HostTapDeps extends SwitchSide {
	readonly clock: Clock;
	readonly log: Logger;
	readonly monitor: LinkMonitor;
	readonly needs: NodeNeeds;
}

/**
 * A tap in the node's own namespace that is a port of the switch from the start. The VMM opens it there, so its launcher has to be in that namespace too
 * (hostNetwork): no runtime calls the plugin for such a pod, and the agent attaches it by what the API says (host-launchers.ts).
 */
export class HostTapMode implements AttachmentMode {
	readonly name = 'tap';
	readonly servesSandbox = false;
	readonly #deps: HostTapDeps;
	readonly #attached = new Map<string, Attachment>();
	/** A tap that is made anew does not meet the end of its attachment. */
	readonly #queue = new KeyedQueue();
	/** Those that are made anew now, so that their end does not wait. */
	readonly #restoring = new Map<string, AbortController>();
	readonly #settler: Settler;
	readonly #unwatch: () => void;

	constructor(deps: HostTapDeps) {
		this.#deps = deps;
		this.#settler = new Settler(
			deps,
			(signal) => this.#restore(signal),
			(error) => deps.log.error('cannot make the tap of a machine anew', { error }),
		);
		this.#unwatch = deps.monitor.watch(deps.host.namespace, () => {
			if (this.#missing().length > 0) void this.#settler.look();
		});
	}

	async probe(): Promise<readonly string[]> {
		return missingTap(this.#deps.needs);
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { device, netns, pod, port } = attachment;
		if (netns !== '') {
			throw new CodedError('AGENT_HOST_NETWORK', {
				what: `pod ${pod.namespace}/${pod.name} cannot be connected by tap`,
				why: 'its launcher has a network namespace of its own, in which it cannot open a tap of the node',
				fix: 'have the webhook set hostNetwork for launchers of mode tap, or use the mode lift, which needs none',
			});
		}
		this.#make(attachment);
		this.#attached.set(attachmentKey(attachment), attachment);
		return [{ name: device, mac: findLink(this.#deps.host.route, device)?.mac ?? '', mtu: port.mtu }];
	}

	/** The flows do not wait for the VMM: the tap is a port, without a carrier. */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		await plugIn(this.#deps.bridge, attachment, signal);
	}

	async resume(attachment: Attachment): Promise<void> {
		this.#attached.set(attachmentKey(attachment), attachment);
		if (findLink(this.#deps.host.route, attachment.device)) handToSwitch(this.#deps, attachment);
		else await this.#settler.look();
	}

	async disconnect(target: DisconnectTarget, signal: Signal): Promise<void> {
		const key = attachmentKey(target);
		this.#attached.delete(key);
		this.#restoring.get(key)?.abort(new CodedError('ABORTED', 'the machine was detached'));
		await this.#queue.run(key, async () => {
			await this.#deps.bridge.remove(target.device, { signal });
			await removeFromHost(this.#deps.host, target.device);
		});
	}

	describe(attachment: Attachment): AttachmentState {
		return { path: [attachment.device, this.#deps.bridge.name], ...plugState(this.#deps, attachment, 'the tap') };
	}

	/** Stops looking after the taps; they stay where they are. */
	async close(): Promise<void> {
		this.#unwatch();
		await this.#settler.stop();
	}

	#make(attachment: Attachment): void {
		const { host } = this.#deps;
		const { device, port, queues } = attachment;
		createTap(host.namespace, { name: device, uid: vmmUser, gid: vmmUser, multiQueue: queues > 1 });
		setLink(host.route, device, { alias: modeMark({ mode: 'tap', machine: port.ownerUid, mac: port.mac }) });
		handToSwitch(this.#deps, attachment);
	}

	#missing(): readonly Attachment[] {
		return [...this.#attached.values()].filter(({ device }) => !findLink(this.#deps.host.route, device));
	}

	/**
	 * The next VMM finds a tap; one that holds a tap that somebody deleted cannot be helped. The port goes first: Open vSwitch would stay with the device
	 * that is no more.
	 */
	async #restore(signal: AbortSignal): Promise<void> {
		for (const attachment of this.#missing()) {
			const key = attachmentKey(attachment);
			const end = new AbortController();
			this.#restoring.set(key, end);
			try {
				await this.#queue.run(key, () => this.#makeAnew(attachment, AbortSignal.any([signal, end.signal])));
			} catch (error) {
				if (!end.signal.aborted) throw error;
			} finally {
				this.#restoring.delete(key);
			}
		}
	}

	async #makeAnew(attachment: Attachment, signal: AbortSignal): Promise<void> {
		const { bridge, clock, log } = this.#deps;
		const { device, pod, port } = attachment;
		if (this.#attached.get(attachmentKey(attachment)) !== attachment) return;
		log.error('somebody deleted the tap of a machine: restart the machine if its VMM runs', { pod, device, port: port.name });
		using limit = deadline(clock, stepMs, signal);
		await bridge.remove(device, { signal: limit.signal });
		if (signal.aborted) return;
		this.#make(attachment);
		await this.connect(attachment, limit.signal);
	}
}
