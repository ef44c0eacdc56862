import type { Clock } from '@tapestry/base';

/** Milliseconds. */
const first = 10;
const longest = 1000;
const patience = 10_000;

/**
 * The time in which a tap changes hands: libvirt's daemon opens it, asks for it by its name once more, and leaves it to the QEMU that it starts. A tap that
 * was lifted before that question lets the start of the machine fail; and of a descriptor that is passed on the kernel tells nobody. So one looks again, at
 * growing intervals, to an end.
 */
export class Handover {
	readonly #clock: Clock;
	readonly #look: () => void;
	#delay = first;
	#waited = 0;
	#cancel: (() => void) | undefined;

	constructor(clock: Clock, look: () => void) {
		this.#clock = clock;
		this.#look = look;
	}

	/** Has one look again later; true when that has gone on long enough. */
	waitsNoMore(): boolean {
		if (this.#cancel) return false;
		if (this.#waited >= patience) return true;
		this.#cancel = this.#clock.after(this.#delay, () => {
			this.#cancel = undefined;
			this.#look();
		});
		this.#waited += this.#delay;
		this.#delay = Math.min(this.#delay * 2, longest);
		return false;
	}

	/** It is over, or was none. */
	reset(): void {
		this.#cancel?.();
		this.#cancel = undefined;
		this.#delay = first;
		this.#waited = 0;
	}
}
