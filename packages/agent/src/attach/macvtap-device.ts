import type { LinkChange } from '@tapestry/linux';

/** A macvtap passes on what its own interface has joined, and nobody tells it what the guest has: neighbour solicitations would not come through. */
export const receiving: LinkChange = { up: true, allMulticast: true };
