import type { GroupVersion, OpenApiKind } from './types.ts';

/** The document at `/openapi/v3`: one path per distinct group and version (a list of kinds will do). */
export function openApiV3Index(_groups: readonly GroupVersion[]): object {
	return { paths: {} };
}

/** The document at `/openapi/v3/api/v1` or `/openapi/v3/apis/GROUP/VERSION`, for the kinds of that one group and version. */
export function openApiV3Group(_kinds: readonly OpenApiKind[]): object {
	return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1' }, paths: {} };
}
