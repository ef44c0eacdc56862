import { CodedError, silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { type Condition, type DatabaseMeta, decodeRow } from '@tapestry/network';
import { connect } from '@tapestry/ovsdb';

/** One read of one database, over a connection of its own. */
export interface Query {
	/** Path of the database's unix socket. */
	readonly socket: string;
	readonly schema: DatabaseMeta;
	readonly table: string;
	readonly where: readonly Condition[];
}

/** The rows that meet the conditions; `R` is the table's generated row type. */
export async function selectRows<R>(query: Query, signal: AbortSignal): Promise<readonly R[]> {
	const { socket, schema, table, where } = query;
	const meta = schema.tables[table];
	await using session = connect({ clock: systemClock, random: Math.random, log: silentLogger }, { endpoint: `unix:${socket}` });
	const [result] = await session.transact(schema.name, [{ op: 'select', table, where }], { signal });
	if (!result?.rows || !meta) throw new CodedError('SHOW_SELECT', `database ${schema.name} gave no rows of table ${table}`);
	return result.rows.map((row) => decodeRow(meta, row) as unknown as R);
}
