import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, type Logger } from '@tapestry/base';
import { type Attachment, attachmentKey } from './attachment.ts';

/**
 * What this node has attached, one file each below the run directory: DEL, CHECK and GC need nothing else, so they work while the Kubernetes API
 * is away, and an agent that starts anew knows what its predecessor did. The directory belongs on a tmpfs: after a reboot there are no sandboxes.
 */
export class Journal {
	readonly #dir: string;
	readonly #entries = new Map<string, Attachment>();

	/** Reads what is there. A file that cannot be read is reported and left alone. */
	constructor(deps: { readonly log: Logger }, options: { readonly dir: string }) {
		this.#dir = options.dir;
		mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
		for (const name of readdirSync(this.#dir)) {
			if (!name.endsWith('.json')) continue;
			try {
				const entry = JSON.parse(readFileSync(join(this.#dir, name), 'utf8')) as Attachment;
				this.#entries.set(attachmentKey(entry), entry);
			} catch (error) {
				deps.log.error('unreadable journal entry', { file: join(this.#dir, name), error });
			}
		}
	}

	get(id: Pick<Attachment, 'containerId' | 'ifname'>): Attachment | undefined {
		return this.#entries.get(attachmentKey(id));
	}

	all(): readonly Attachment[] {
		return [...this.#entries.values()];
	}

	/** Written whole or not at all. Synchronous: an entry must be there before what it describes is begun. */
	put(attachment: Attachment): void {
		const path = this.#path(attachment);
		try {
			writeFileSync(`${path}.new`, JSON.stringify(attachment));
			renameSync(`${path}.new`, path);
		} catch (cause) {
			throw new CodedError('AGENT_JOURNAL', { what: 'cannot record the attachment', why: `${path} cannot be written` }, { cause });
		}
		this.#entries.set(attachmentKey(attachment), attachment);
	}

	remove(id: Pick<Attachment, 'containerId' | 'ifname'>): void {
		rmSync(this.#path(id), { force: true });
		this.#entries.delete(attachmentKey(id));
	}

	#path({ containerId, ifname }: Pick<Attachment, 'containerId' | 'ifname'>): string {
		return join(this.#dir, `${encodeURIComponent(containerId)}@${encodeURIComponent(ifname)}.json`);
	}
}
