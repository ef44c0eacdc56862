export * from './schema/wire.ts';
