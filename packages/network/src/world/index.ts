export * from './objects.ts';
export * from './world.ts';
