export * from './objects.ts';
export * from './policies.ts';
export * from './policy-set.ts';
export * from './selector.ts';
export * from './world.ts';
