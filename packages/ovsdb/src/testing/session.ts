import { type Clock, silentLogger } from '@tapestry/base';
import { type DatabaseMeta, decodeRow, type Row, type Uuid } from '@tapestry/network';
import { connect, type SessionOptions } from '../session.ts';
import type { Replica, RowChange, Session } from '../types.ts';

export const testClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	after(ms, callback) {
		const timer = setTimeout(callback, ms);
		return () => clearTimeout(timer);
	},
};

/** A session that reconnects at once and logs nothing. */
export function testSession(endpoint: string, options: Omit<SessionOptions, 'endpoint'> = {}): Session {
	return connect({ clock: testClock, random: Math.random, log: silentLogger }, { backoff: { initial: 5, max: 50 }, ...options, endpoint });
}

/** Every row of a table, read by a select. */
export async function selectAll(session: Session, meta: DatabaseMeta, table: string): Promise<ReadonlyMap<Uuid, Row>> {
	const tableMeta = meta.tables[table];
	if (!tableMeta) throw new Error(`no table ${table}`);
	const columns = ['_uuid', ...Object.keys(tableMeta.columns)];
	const [result] = await session.transact(meta.name, [{ op: 'select', table, where: [], columns }]);
	return new Map((result?.rows ?? []).map((wire) => decodeRow(tableMeta, wire)).map((row) => [row._uuid as Uuid, row]));
}

/** A row in a form that two readings of it share whatever the order of its sets. */
export function canonical(rows: ReadonlyMap<Uuid, Row>): ReadonlyMap<Uuid, Row> {
	const sorted = [...rows].map(([uuid, row]): [Uuid, Row] => {
		const columns = Object.entries(row).map(([name, value]) => [name, Array.isArray(value) ? [...value].sort() : value]);
		return [uuid, Object.fromEntries(columns)];
	});
	return new Map(sorted);
}

/** The next connect or disconnect. */
export function nextConnection(session: Session, wanted: boolean): Promise<void> {
	return new Promise((resolve) => {
		const stop = session.onConnection((connected) => {
			if (connected !== wanted) return;
			stop();
			resolve();
		});
	});
}

/** The next changes of a replica. */
export function nextChange(replica: Replica): Promise<{ readonly changes: readonly RowChange[]; readonly reset: boolean }> {
	return new Promise((resolve) => {
		const stop = replica.onChange((changes, reset) => {
			stop();
			resolve({ changes, reset });
		});
	});
}
