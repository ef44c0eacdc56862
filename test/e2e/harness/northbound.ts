import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { openSources, type Sources, verifyNorthbound } from '@tapestry/controller';
import { systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { defaultNames, monitoredColumns, nbSchema, type Row } from '@tapestry/network';
import { connect, type Replica } from '@tapestry/ovsdb';
import { sharedLab } from './lab.ts';

const tableNames = Object.keys(monitoredColumns) as (keyof typeof monitoredColumns)[];

/**
 * In what the Northbound database differs from what the API's objects compile to, both read now. Changes are still being worked off when it is asked:
 * it looks after each change until all is right, or until the deadline.
 */
export async function discrepancies(milliseconds = 20_000): Promise<readonly unknown[]> {
	const signal = AbortSignal.timeout(milliseconds);
	const found = await withNorthbound(signal, (replica, sources) => {
		const { promise, resolve } = Promise.withResolvers<readonly unknown[]>();
		const settle = () => {
			const wrong = differences(replica, sources);
			if (wrong.length > 0 && !signal.aborted) return;
			for (const stop of stops) stop();
			resolve(wrong);
		};
		const reflectors = Object.values(sources).filter((source) => typeof source === 'object' && source !== null && 'onChange' in source);
		const stops = [replica, ...reflectors].map((source) => source.onChange(settle));
		signal.addEventListener('abort', settle);
		settle();
		return promise;
	});
	if (found.length === 0) return found;
	// The question is what the database holds: where a copy of it has missed something, the next one tells at once.
	const now = await withNorthbound(AbortSignal.timeout(20_000), async (replica, sources) => differences(replica, sources));
	if (now.length === 0) process.stderr.write(`a copy of the Northbound database differed from the next one in ${JSON.stringify(found)}\n`);
	return now;
}

function differences(replica: Replica, sources: Sources): readonly unknown[] {
	const { vpc, subnet, joinSubnet } = defaultNames;
	const options = { defaultVpc: vpc, defaultSubnet: subnet, joinSubnet, serviceCidrs: [], mtu: 1442 };
	return verifyNorthbound(sources, Object.fromEntries(tableNames.map((table) => [table, replica.table(table)])), options);
}

/** The whole Northbound database as text that two equal ones share, whatever their rows' UUIDs. */
export function northboundText(): Promise<readonly string[]> {
	return withNorthbound(AbortSignal.timeout(20_000), async (replica) => textOf(replica));
}

/** Waits until the database's text is the wanted one, and gives back what it is at that moment or at the deadline. */
export function northboundBecomes(wanted: readonly string[], milliseconds = 20_000): Promise<readonly string[]> {
	const signal = AbortSignal.timeout(milliseconds);
	const want = wanted.join('\n');
	return withNorthbound(signal, (replica) => {
		const { promise, resolve } = Promise.withResolvers<readonly string[]>();
		const look = () => {
			const text = textOf(replica);
			if (text.join('\n') !== want && !signal.aborted) return;
			stop();
			resolve(text);
		};
		const stop = replica.onChange(look);
		signal.addEventListener('abort', look);
		look();
		return promise;
	});
}

function textOf(replica: Replica): readonly string[] {
	const names = new Map<string, string>();
	for (const table of tableNames) for (const [uuid, row] of replica.table(table)) names.set(uuid, nameOf(table, row));
	const named = (value: unknown) => (typeof value === 'string' ? (names.get(value) ?? value) : value);
	// Sets have no order.
	const plain = (_: string, value: unknown) => (Array.isArray(value) ? value.map(named).sort() : named(value));
	return tableNames
		.flatMap((table) => [...replica.table(table).values()].map(({ _uuid, ...columns }) => `${table} ${JSON.stringify(columns, plain)}`))
		.sort();
}

async function withNorthbound<T>(signal: AbortSignal, work: (replica: Replica, sources: Sources) => Promise<T>): Promise<T> {
	const io = { clock: systemClock, random: Math.random, log: silentLogger };
	using client = createKubeClient(io, { kubeconfig: sharedLab().kubeconfig });
	await using session = connect(io, { endpoint: `unix:${join(sharedLab().central, 'nb.sock')}` });
	await using sources = openSources({ ...io, client });
	const columns = Object.entries(monitoredColumns).map(([table, list]) => [table, { columns: list }] as const);
	const replica = await session.monitor(nbSchema.name, Object.fromEntries(columns), { signal });
	await sources.synced(signal);
	return work(replica, sources);
}

function nameOf(table: string, row: Row): string {
	return `${table} ${JSON.stringify(row.name ?? '')} ${JSON.stringify(row.external_ids ?? '')}`;
}
