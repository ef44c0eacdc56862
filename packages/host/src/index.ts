export * from './program.ts';
export * from './system.ts';
