export { type ControllerDeps, type ControllerOptions, runController } from './controller.ts';
export type { NetworkOptions } from './networks.ts';
export { openSources, type Sources } from './world/sources.ts';
export { verifyNorthbound } from './world/verify-northbound.ts';
