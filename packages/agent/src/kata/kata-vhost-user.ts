import { rmSync } from 'node:fs';
import type { AttachmentMode } from '../attach/attachment.ts';
import type { AttachmentFiles } from './attachment-files.ts';
import { withAttachmentFile } from './with-attachment-file.ts';

export interface KataVhostUserDeps {
	/** The port of the switch: that of KubeVirt's machines. */
	readonly vhostUser: Omit<AttachmentMode, 'name'> & { socket(device: string): string };
	readonly kata: AttachmentFiles;
}

/** Kata sandboxes by direct attachment to an Open vSwitch with DPDK: Dragonball of runtime-rs makes the socket that the file names, the switch connects. */
export function kataVhostUserMode({ vhostUser, kata }: KataVhostUserDeps): AttachmentMode {
	return withAttachmentFile(
		{ mode: vhostUser, kata },
		{
			name: 'kata-vhost-user',
			device: ({ device }) => ({ type: 'vhost-user', socket: vhostUser.socket(device) }),
			// Dragonball does not start where there is a socket already.
			prepared: ({ device }) => rmSync(vhostUser.socket(device), { force: true }),
		},
	);
}
