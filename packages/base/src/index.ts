export * from './backoff.ts';
export * from './clock.ts';
export * from './errors.ts';
export * from './inet/index.ts';
export * from './kubernetes.ts';
export * from './logger.ts';
export * from './metrics/metrics.ts';
export * from './quantity.ts';
