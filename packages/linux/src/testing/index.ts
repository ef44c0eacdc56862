export * from './cable.ts';
export * from './namespaces.ts';
export * from './until-link.ts';
export * from './wire.ts';
