import { ApiError } from '../errors.ts';

/** How objects are written into the answer. */
export interface Representation {
	readonly shape: 'object' | 'table' | 'partial';
	/** The version of meta.k8s.io that tables and partial objects are labelled with. */
	readonly version: 'v1' | 'v1beta1';
	readonly yaml: boolean;
}

export interface MediaRange {
	readonly type: string;
	readonly parameters: Readonly<Record<string, string>>;
}

/** The ranges of an Accept header, the preferred one first (RFC 9110 section 12.5.1). */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
	const ranges = (header ?? '').split(',').flatMap((text) => {
		const [type = '', ...pairs] = text.split(';').map((part) => part.trim());
		const parameters = Object.fromEntries(pairs.map((pair) => pair.split('=', 2)));
		return type ? [{ type: type.toLowerCase(), parameters }] : [];
	});
	return ranges.sort((a, b) => quality(b) - quality(a));
}

function quality({ parameters }: MediaRange): number {
	const { q } = parameters;
	return q === undefined ? 1 : Number(q);
}

/** Throws NotAcceptable when no range can be served. */
export function negotiate(accept: string | undefined): Representation {
	const ranges = parseAccept(accept);
	if (ranges.length === 0) return { shape: 'object', version: 'v1', yaml: false };
	for (const range of ranges) {
		const found = representationOf(range);
		if (found) return found;
	}
	throw new ApiError('NotAcceptable', 'only the following media types are accepted: application/json, application/yaml');
}

function representationOf({ type, parameters }: MediaRange): Representation | undefined {
	const yaml = type === 'application/yaml';
	if (!yaml && type !== 'application/json' && type !== 'application/*' && type !== '*/*') return undefined;
	const { as, g, v } = parameters;
	if (as === undefined) return { shape: 'object', version: 'v1', yaml };
	if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
	if (as === 'Table') return { shape: 'table', version: v, yaml };
	return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? { shape: 'partial', version: v, yaml } : undefined;
}
