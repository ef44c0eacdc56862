import { type Clock, type Logger, messageOf } from '@tapestry/base';
import {
	type Attachment,
	type AttachmentModes,
	attachmentKey,
	type DisconnectTarget,
	deviceName,
	type ModeName,
} from '../attach/attachment.ts';
import type { Journal } from '../attach/journal.ts';
import { deadline } from '../deadline.ts';
import { KeyedQueue } from '../keyed-queue.ts';
import type { WorkloadSource } from '../leases/workload-source.ts';
import { type Observe, stopwatch } from '../metrics.ts';
import type { PodRef } from '../port.ts';
import type { IntegrationBridge } from '../switch/integration-bridge.ts';
import { attachmentOf, podOf, requireMode, shownPort } from './attachment-of.ts';
import type { PluginAnswer, PluginCall } from './call.ts';
import { CniError, cniCodes, errorDocument, toCniError } from './error.ts';
import { type AttachmentParameters, type NetworkConfig, parseAttachment, parseCommand, parseConfig, requestedVersion } from './request.ts';
import { addResult } from './result.ts';
import { isAtLeast, newestVersion, supportedVersions } from './version.ts';

export interface CniDeps {
	readonly clock: Clock;
	readonly log: Logger;
	readonly source: WorkloadSource;
	readonly journal: Journal;
	readonly modes: AttachmentModes;
	readonly bridge: IntegrationBridge;
	readonly observe: Observe;
}

export interface CniOptions {
	/** How long an ADD may take, in milliseconds: below the time after which runtimes give up, so that they get a reason. @default 20000 */
	readonly addMs?: number;
	/** The same for everything else. @default 10000 */
	readonly otherMs?: number;
}

/** The commands of the CNI specification, 0.1.0 to 1.1.0. Any number may run at once; those of one attachment wait for each other. */
export class CniCommands {
	readonly #deps: CniDeps;
	readonly #addMs: number;
	readonly #otherMs: number;
	readonly #queue = new KeyedQueue();
	/** ADDs under way, so that a DEL ends them instead of waiting for them. */
	readonly #adding = new Map<string, AbortController>();

	constructor(deps: CniDeps, options: CniOptions = {}) {
		this.#deps = deps;
		this.#addMs = options.addMs ?? 20_000;
		this.#otherMs = options.otherMs ?? 10_000;
	}

	/** Never rejects. @param signal aborted when the caller has gone: an ADD is then undone. */
	async handle(call: PluginCall, signal: AbortSignal): Promise<PluginAnswer> {
		try {
			const result = await this.#run(call, signal);
			return { ok: true, body: result === undefined ? '' : JSON.stringify(result) };
		} catch (error) {
			const refusal = toCniError(error);
			const { CNI_COMMAND: command, CNI_CONTAINERID: container, CNI_ARGS: args } = call.env;
			this.#deps.log.warn('CNI call failed', { command, container, args, code: refusal.code, error });
			return { ok: false, body: JSON.stringify(errorDocument(refusal, requestedVersion(call.stdin) ?? newestVersion)) };
		}
	}

	/**
	 * Finishes what a killed predecessor left: half-made attachments are undone, the others taken up again; ports of sandboxes that nobody knows any
	 * more (the machine was restarted) are unplugged.
	 */
	async recover(): Promise<void> {
		const { journal, modes, bridge, log } = this.#deps;
		const resumed = journal.all().map(async (attachment) => {
			try {
				if (attachment.complete) await modes[attachment.mode].resume(attachment);
				else await this.#remove(attachment);
			} catch (error) {
				log.error('cannot take up an attachment again', { attachment, error });
			}
		});
		await Promise.all(resumed);
		const known = new Set(journal.all().map(({ device }) => device));
		for (const { device, externalIds } of bridge.ports()) {
			if (externalIds.sandbox === undefined || known.has(device)) continue;
			log.info('unplugging a port of an unknown sandbox', { device, sandbox: externalIds.sandbox });
			using limit = deadline(this.#deps.clock, this.#otherMs);
			await bridge.remove(device, { signal: limit.signal });
		}
	}

	async #run(call: PluginCall, signal: AbortSignal): Promise<unknown> {
		const command = parseCommand(call);
		if (command === 'VERSION') {
			return { cniVersion: requestedVersion(call.stdin) ?? newestVersion, supportedVersions };
		}
		const config = parseConfig(call.stdin);
		switch (command) {
			case 'ADD':
				return this.#add(parseAttachment(call, { netnsRequired: true }), config, signal);
			case 'DEL':
				return this.#del(parseAttachment(call, { netnsRequired: false }));
			case 'CHECK':
				return this.#check(parseAttachment(call, { netnsRequired: true }), config);
			case 'GC':
				return this.#collect(config);
			case 'STATUS':
				return this.#status(config);
		}
	}

	async #add(id: AttachmentParameters, config: NetworkConfig, signal: AbortSignal): Promise<unknown> {
		if (config.provider !== 'ovn') {
			throw new CniError(
				cniCodes.invalidConfig,
				`provider "${config.provider}" is not served`,
				'only the pod network (provider "ovn") is built; secondary networks are not',
			);
		}
		const pod = podOf(id.args);
		const key = attachmentKey(id);
		const abort = new AbortController();
		using limit = deadline(this.#deps.clock, this.#addMs, AbortSignal.any([signal, abort.signal]));
		this.#adding.set(key, abort);
		try {
			return await this.#queue.run(key, () => this.#attach(id, config, pod, limit.signal));
		} finally {
			if (this.#adding.get(key) === abort) this.#adding.delete(key);
		}
	}

	async #attach(id: AttachmentParameters, config: NetworkConfig, pod: PodRef, signal: AbortSignal): Promise<unknown> {
		const { clock, journal, modes, source, observe, log } = this.#deps;
		const lap = stopwatch(clock, observe);
		const total = stopwatch(clock, observe);
		const earlier = journal.get(id);
		if (earlier?.complete) {
			throw new CniError(cniCodes.alreadyAttached, `${id.ifname} of this container is attached already`, 'DEL has to come first');
		}
		if (earlier) await this.#remove(earlier);
		const workload = await source.workload(pod, signal);
		lap('lease');
		const attachment = attachmentOf(id, config, pod, workload);
		const mode = modes[attachment.mode];
		await requireMode(mode, modes, attachment);
		try {
			journal.put(attachment);
			const interfaces = await mode.prepare(attachment);
			lap('devices');
			await mode.connect(attachment, signal);
			journal.put({ ...attachment, complete: true });
			total('add');
			log.info('attached', { pod, mode: attachment.mode, device: attachment.device, port: attachment.port.name });
			return addResult(config.cniVersion, {
				ifname: id.ifname,
				interfaces,
				port: shownPort(mode, attachment.port),
				prevResult: config.prevResult,
			});
		} catch (error) {
			await this.#remove(attachment).catch((failure: unknown) => log.error('cannot undo an attachment', { attachment, error: failure }));
			throw error;
		}
	}

	/** Idempotent, and needs neither the Kubernetes API nor a lease. */
	async #del(id: AttachmentParameters): Promise<void> {
		const key = attachmentKey(id);
		this.#adding.get(key)?.abort(new CniError(cniCodes.tryAgain, 'the attachment was deleted while it was made'));
		await this.#queue.run(key, async () => {
			const lap = stopwatch(this.#deps.clock, this.#deps.observe);
			const recorded = this.#deps.journal.get(id);
			if (recorded) await this.#remove(recorded);
			// Without a record there may still be devices: their names follow from the request.
			else for (const { name } of Object.values(this.#deps.modes)) await this.#disconnect(name, { ...id, device: deviceName(name, id) });
			lap('del');
		});
	}

	async #check(id: AttachmentParameters, config: NetworkConfig): Promise<void> {
		requireVersion(config, '0.4.0', 'CHECK');
		if (!config.prevResult) throw new CniError(cniCodes.invalidConfig, 'CHECK needs "prevResult"');
		const attachment = this.#deps.journal.get(id);
		if (!attachment) {
			throw new CniError(
				cniCodes.unknownContainer,
				`${id.ifname} of container ${id.containerId} is not attached`,
				'ADD was not called, or DEL was',
			);
		}
		using limit = deadline(this.#deps.clock, this.#otherMs);
		await this.#deps.bridge.settled({ signal: limit.signal });
		const { faults } = this.#deps.modes[attachment.mode].describe(attachment);
		if (faults.length > 0) throw new CniError(cniCodes.checkFailed, `${id.ifname} is not as ADD left it`, faults.join('; '));
	}

	async #collect(config: NetworkConfig): Promise<void> {
		requireVersion(config, '1.1.0', 'GC');
		if (config.disableGc) return;
		const valid = new Set(config.validAttachments.map(attachmentKey));
		const stale = this.#deps.journal.all().filter((entry) => entry.network === config.name && !valid.has(attachmentKey(entry)));
		const results = await Promise.allSettled(stale.map((entry) => this.#queue.run(attachmentKey(entry), () => this.#remove(entry))));
		const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => messageOf(reason));
		if (failures.length === 0) return;
		throw new CniError(cniCodes.io, `${failures.length} stale attachments could not be removed`, failures.join('; '));
	}

	#status(config: NetworkConfig): void {
		requireVersion(config, '1.1.0', 'STATUS');
		const { bridge, source } = this.#deps;
		if (!bridge.ready) {
			throw new CniError(cniCodes.notAvailable, `bridge ${bridge.name} is not there`, 'Open vSwitch does not answer on this node');
		}
		if (source.ready) return;
		throw new CniError(cniCodes.notAvailable, 'the leases of this node are not known yet', 'the Kubernetes API has not answered');
	}

	async #remove(attachment: Attachment): Promise<void> {
		await this.#disconnect(attachment.mode, attachment);
		this.#deps.journal.remove(attachment);
	}

	async #disconnect(mode: ModeName, target: DisconnectTarget): Promise<void> {
		using limit = deadline(this.#deps.clock, this.#otherMs);
		await this.#deps.modes[mode].disconnect(target, limit.signal);
	}
}

function requireVersion(config: NetworkConfig, since: '0.4.0' | '1.1.0', command: string): void {
	if (isAtLeast(config.cniVersion, since)) return;
	throw new CniError(cniCodes.incompatibleVersion, `${command} does not exist in CNI ${config.cniVersion}`, `it came with ${since}`);
}
