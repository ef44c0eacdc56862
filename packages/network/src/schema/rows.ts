import type { Ref, Uuid } from './wire.ts';

/** A reference as it is written: an existing row's UUID, or a `Ref`. */
export type WriteRef = Uuid | Ref;

/** Some columns of a row, for an insert or an update. `Row` is a generated row type with `WriteRef` for its references. */
export type WriteRow<Row> = Partial<Omit<Row, '_uuid'>>;
