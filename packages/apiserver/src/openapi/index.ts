export type { GroupVersion, OpenApiKind } from './types.ts';
export { type OpenApiV2, openApiV2 } from './v2.ts';
export { openApiV3Group, openApiV3Index } from './v3.ts';
