import { isCoded } from '@tapestry/base';
import type { Connection } from './connection.ts';
import type { Lock } from './types.ts';

/** RFC 7047 section 4.1.8: one lock, asked for anew on every connection. */
export class LockRequest implements Lock {
	readonly #name: string;
	readonly #onChange: (held: boolean) => void;
	readonly #onRelease: () => void;
	#connection: Connection | undefined;
	#answered = false;
	#held = false;

	constructor(name: string, onChange: (held: boolean) => void, onRelease: () => void) {
		this.#name = name;
		this.#onChange = onChange;
		this.#onRelease = onRelease;
	}

	get held(): boolean {
		return this.#held;
	}

	request(connection: Connection): void {
		this.#connection = connection;
		const onResult = (result: unknown): void => {
			if (this.#connection !== connection) return;
			this.#answered = true;
			this.#change((result as { locked: boolean }).locked);
		};
		connection.call('lock', [this.#name], { onResult }).catch((error: unknown) => {
			// Without its locks a session is of no use: start over.
			if (!isCoded(error, 'OVSDB_DISCONNECTED')) connection.close(error as Error);
		});
	}

	/** `locked` and `stolen` notifications. One that overtakes the answer belongs to an earlier request of the same name. */
	notify(held: boolean): void {
		if (this.#answered) this.#change(held);
	}

	lost(): void {
		this.#connection = undefined;
		this.#answered = false;
		this.#change(false);
	}

	async release(): Promise<void> {
		const connection = this.#connection;
		this.#onRelease();
		this.lost();
		try {
			await connection?.call('unlock', [this.#name]);
		} catch (error) {
			// The end of a connection ends its locks.
			if (!isCoded(error, 'OVSDB_DISCONNECTED')) throw error;
		}
	}

	#change(held: boolean): void {
		if (this.#held === held) return;
		this.#held = held;
		this.#onChange(held);
	}
}
