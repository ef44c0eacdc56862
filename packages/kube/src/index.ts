export * from './client.ts';
export * from './errors.ts';
export * from './index-by.ts';
export * from './kubeconfig.ts';
export * from './paths.ts';
export * from './reflector.ts';
export * from './types.ts';
