import { rmSync } from 'node:fs';
import type { Signal } from '@tapestry/base';
import type { Attachment, AttachmentMode, AttachmentState, DisconnectTarget, SandboxInterface } from '../attach/attachment.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import { directAttachment } from './direct-attachment.ts';

export interface KataVhostUserDeps {
	/** The port of the switch: that of KubeVirt's machines. */
	readonly vhostUser: Omit<AttachmentMode, 'name'> & { socket(device: string): string };
	readonly kata: AttachmentFiles;
}

/** Kata sandboxes by direct attachment to an Open vSwitch with DPDK: Dragonball of runtime-rs makes the socket that the file names, the switch connects. */
export class KataVhostUserMode implements AttachmentMode {
	readonly name = 'kata-vhost-user';
	readonly servesSandbox = false;
	readonly #deps: KataVhostUserDeps;

	constructor(deps: KataVhostUserDeps) {
		this.#deps = deps;
	}

	probe(): Promise<readonly string[]> {
		return this.#deps.vhostUser.probe();
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { vhostUser } = this.#deps;
		const interfaces = await vhostUser.prepare(attachment);
		// Dragonball does not start where there is one already.
		rmSync(vhostUser.socket(attachment.device), { force: true });
		return interfaces;
	}

	/** Kata starts after ADD has answered: the file is there then, and what the guest sends first gets through. */
	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { vhostUser, kata } = this.#deps;
		const { containerId, device, ifname, port } = attachment;
		await vhostUser.connect(attachment, signal);
		kata.write(containerId, directAttachment(ifname, port, { type: 'vhost-user', socket: vhostUser.socket(device) }));
	}

	resume(attachment: Attachment): Promise<void> {
		return this.#deps.vhostUser.resume(attachment);
	}

	async disconnect(target: DisconnectTarget, signal: Signal): Promise<void> {
		this.#deps.kata.remove(target.containerId);
		await this.#deps.vhostUser.disconnect(target, signal);
	}

	describe(attachment: Attachment): AttachmentState {
		const state = this.#deps.vhostUser.describe(attachment);
		if (this.#deps.kata.has(attachment.containerId)) return state;
		return { ...state, faults: [...state.faults, "Kata's file of the sandbox's NIC is gone"] };
	}
}
