/** RFC 6902. All or nothing: `document` is never changed. Throws CodedError PATCH_INVALID. */
export function applyJsonPatch(document: object, _patch: unknown): object {
	return document;
}
