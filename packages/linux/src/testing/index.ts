export * from './hold-tap.ts';
export * from './namespaces.ts';
export * from './until-link.ts';
