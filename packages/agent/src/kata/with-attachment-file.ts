import type { Attachment, AttachmentMode, PodModeName } from '../attach/attachment.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import { directAttachment, type KataDevice } from './direct-attachment.ts';

export interface DirectMode {
	readonly name: PodModeName;
	/** What Kata opens. */
	device(attachment: Attachment): KataDevice;
	/** Called when the node's part is there and Kata has not started. */
	prepared?(attachment: Attachment): void;
}

/** A way to connect a workload, for one that Kata runs: its runtime learns from a file of the sandbox what to open. */
export function withAttachmentFile(
	{ mode, kata }: { readonly mode: Omit<AttachmentMode, 'name'>; readonly kata: AttachmentFiles },
	direct: DirectMode,
): AttachmentMode {
	return {
		name: direct.name,
		servesSandbox: false,
		probe: () => mode.probe(),
		async prepare(attachment) {
			const interfaces = await mode.prepare(attachment);
			direct.prepared?.(attachment);
			return interfaces;
		},
		/** Kata starts after ADD has answered: the file is there then, and what the guest sends first gets through. */
		async connect(attachment, signal) {
			await mode.connect(attachment, signal);
			kata.write(attachment.containerId, directAttachment(attachment.ifname, attachment.port, direct.device(attachment)));
		},
		resume: (attachment) => mode.resume(attachment),
		async disconnect(target, signal) {
			kata.remove(target.containerId);
			await mode.disconnect(target, signal);
		},
		describe(attachment) {
			const state = mode.describe(attachment);
			if (kata.has(attachment.containerId)) return state;
			return { ...state, faults: [...state.faults, "Kata's file of the sandbox's NIC is gone"] };
		},
	};
}
