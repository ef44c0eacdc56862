export * from './model.ts';
export { type Mark, markOf, ownedName } from './ownership.ts';
export { type Plan, Planner } from './planner.ts';
export type { RowDelta, Tables } from './replica-index.ts';
export { type Discrepancy, verify } from './verify.ts';
