import { isoImage } from './iso9660.ts';

/** By this label cloud-init finds its data. Source: cloud-init, "NoCloud". */
const label = 'cidata';

/** A disk with the files of a NoCloud data source. */
export function cloudInitImage(files: Readonly<Record<string, string>>): Uint8Array {
	return isoImage(
		label,
		Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text) })),
	);
}
