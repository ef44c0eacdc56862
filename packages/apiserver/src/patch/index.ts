export { applyJsonPatch } from './json-patch.ts';
export { applyMergePatch } from './merge-patch.ts';
export { type MergeSchema, mergeSchemaFor } from './merge-schema.ts';
export { applyStrategicPatch } from './strategic-patch.ts';
