import { createHash } from 'node:crypto';

/** The same bytes on every side, without having to carry them there. */
export const bytes = 120_000;
/** Writes them, in a shell of a guest or a pod. */
export const source = `yes tapestry | head -c ${bytes}`;
/** What md5sum says of them. */
export const digest = createHash('md5')
	.update(Buffer.from('tapestry\n'.repeat(Math.ceil(bytes / 9))).subarray(0, bytes))
	.digest('hex');
