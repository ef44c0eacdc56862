import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger } from '@tapestry/base';
import { openSources, type Sources, verifyNorthbound } from '@tapestry/controller';
import { systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { defaultNames, labels, monitoredColumns, nbSchema, type Row } from '@tapestry/network';
import { connect, type Replica } from '@tapestry/ovsdb';
import { sharedLab } from './lab.ts';

const tableNames = Object.keys(monitoredColumns) as (keyof typeof monitoredColumns)[];

/**
 * In what the Northbound database differs from what the API's objects compile to, both read now, and which leases have lost their owner and are yet to
 * go. Changes are still being worked off when it is asked: it looks after each change until all is right, or until the deadline.
 */
export async function discrepancies(milliseconds = 20_000): Promise<readonly unknown[]> {
	const signal = AbortSignal.timeout(milliseconds);
	const stalls = monitorEventLoopDelay();
	stalls.enable();
	const first = await withNorthbound(signal, (replica, sources) => {
		const { promise, resolve, reject } = Promise.withResolvers<Reading>();
		const settle = () => {
			try {
				const wrong = differences(replica, sources);
				if (wrong.length === 0 || signal.aborted) resolve({ wrong, read: wrong.length === 0 ? [] : allOf(replica, sources) });
			} catch (error) {
				// Where a change is told, nobody waits for what the listener throws.
				reject(error);
			}
		};
		const reflectors = Object.values(sources).filter((source) => typeof source === 'object' && source !== null && 'onChange' in source);
		const stops = [replica, ...reflectors].map((source) => source.onChange(settle));
		signal.addEventListener('abort', settle);
		settle();
		return promise.finally(() => {
			for (const stop of stops) stop();
		});
	});
	stalls.disable();
	if (first.wrong.length === 0) return [];
	// The question is what the database holds: where a copy of it has missed something, the next one tells at once.
	const next = await withNorthbound(AbortSignal.timeout(20_000), async (replica, sources) => ({
		wrong: differences(replica, sources),
		read: allOf(replica, sources),
	}));
	if (next.wrong.length === 0) process.stderr.write(comparison(first, next, stalls.max / 1e6));
	return next.wrong;
}

interface Reading {
	readonly wrong: readonly unknown[];
	/** What it was read from, a line for each row and object. */
	readonly read: readonly string[];
}

/** Rows by what they hold, objects by their version: enough to tell which side of a difference was behind. */
function allOf(replica: Replica, sources: Sources): readonly string[] {
	const rows = tableNames.flatMap((table) => [...replica.table(table)].map(([uuid, row]) => `row ${uuid} ${nameOf(table, row)}`));
	const objects = Object.entries(sources).flatMap(([kind, source]) =>
		typeof source !== 'object' || source === null || !('objects' in source)
			? []
			: [...source.objects.values()].map(({ metadata: { namespace = '', name, uid, resourceVersion } }) =>
					[kind, namespace, name, uid, resourceVersion].join(' '),
				),
	);
	return [...rows, ...objects, `row of transaction ${replica.lastTransactionId}`];
}

/** @param stalledMs for how long at most the first one did not get to read what came */
function comparison(first: Reading, next: Reading, stalledMs: number): string {
	const only = (one: Reading, other: Reading) => one.read.filter((line) => !other.read.includes(line));
	const told = { differed: first.wrong, onlyInIt: only(first, next), onlyInNext: only(next, first), stalledMs };
	return `a reading of the Northbound database and the API differed from the next one: ${JSON.stringify(told, undefined, 1)}\n`;
}

function differences(replica: Replica, sources: Sources): readonly unknown[] {
	const { vpc, subnet, joinSubnet } = defaultNames;
	const options = { defaultVpc: vpc, defaultSubnet: subnet, joinSubnet, serviceCidrs: [], mtu: 1442 };
	const tables = Object.fromEntries(tableNames.map((table) => [table, replica.table(table)]));
	return [...verifyNorthbound(sources, tables, options), ...leftLeases(sources)];
}

/** Leases that go by themselves, because their owner is gone and nobody asked to keep them. */
function leftLeases(sources: Sources): readonly unknown[] {
	const { pods, vms, vmis, vips, nodes, ips } = sources;
	const owners = new Set([pods, vms, vmis, vips, nodes].flatMap((all) => [...all.objects.values()].map(({ metadata }) => metadata.uid)));
	return [...ips.objects.values()].flatMap(({ metadata: { name, labels: said = {} } }) => {
		const owner = said[labels.ownerUid];
		const isLeft = owner !== undefined && said[labels.ipReserved] !== 'true' && !owners.has(owner);
		return isLeft ? [{ kind: 'left lease', name, owner }] : [];
	});
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
