import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@tapestry/base';
import type { DirectAttachment } from './direct-attachment.ts';

/** Kata's default of `dan_conf`. */
export const kataDirectory = '/run/kata-containers/dans';

/** The files by which Kata knows the NICs of its sandboxes, one each, by the sandbox's id: under CRI the container id of the CNI call. */
export interface AttachmentFiles {
	/** Whole or not at all. */
	write(containerId: string, content: DirectAttachment): void;
	has(containerId: string): boolean;
	remove(containerId: string): void;
}

export function attachmentFiles(directory: string): AttachmentFiles {
	// An id is letters, digits, dots, dashes and underscores, a letter or digit first: parseAttachment.
	const path = (containerId: string): string => join(directory, `${containerId}.json`);
	return {
		write(containerId, content) {
			try {
				mkdirSync(directory, { recursive: true, mode: 0o755 });
				writeFileSync(`${path(containerId)}.new`, JSON.stringify(content, undefined, 2), { mode: 0o600 });
				renameSync(`${path(containerId)}.new`, path(containerId));
			} catch (cause) {
				throw new CodedError(
					'AGENT_KATA',
					{
						what: "cannot tell Kata of the sandbox's NIC",
						why: `${path(containerId)} cannot be written`,
						fix: 'see that the directory is writable',
					},
					{ cause },
				);
			}
		},
		has: (containerId) => existsSync(path(containerId)),
		remove(containerId) {
			for (const file of [`${path(containerId)}.new`, path(containerId)]) rmSync(file, { force: true });
		},
	};
}
