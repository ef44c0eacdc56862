export { connect, type SessionDeps, type SessionOptions } from './session.ts';
export * from './types.ts';
