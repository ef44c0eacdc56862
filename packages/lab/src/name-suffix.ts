import { createHash } from 'node:crypto';

/** The letters of Kubernetes' generated names: none that spells words, none that looks like another. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** The end of a generated name that follows from what the object is made for: making it twice is refused by the API server. */
export function nameSuffix(text: string): string {
	return [...createHash('sha256').update(text).digest().subarray(0, 5)].map((byte) => letters[byte % letters.length]).join('');
}
