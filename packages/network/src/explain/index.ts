export type { Answer, Reason, SentPacket } from './answer.ts';
export { buildNetwork } from './build-network.ts';
export { nameOf } from './denial.ts';
export { explain } from './explain.ts';
export { formatAnswer } from './format.ts';
export type { LogicalNetwork } from './logical-network.ts';
export { fieldsOf, type Packet, type Protocol } from './packet.ts';
export { nothingObserved, type Observed, type ObservedNode, type ReachQuestion, type Sender, type Target } from './question.ts';
export { type Origin, type Snapshot, type SnapshotRow, snapshotOfFragments, snapshotOfTables } from './snapshot.ts';
