export * from './api/index.ts';
export * from './schema/codec.ts';
export * from './schema/meta.ts';
export * from './schema/nb.generated.ts';
export * from './schema/ovs.generated.ts';
export * from './schema/rows.ts';
export * from './schema/sb.generated.ts';
export * from './schema/wire.ts';
