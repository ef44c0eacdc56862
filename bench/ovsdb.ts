import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import type { Operation } from '@tapestry/network';
import { connect, type Session } from '@tapestry/ovsdb';
import { nbSchemaPath, type OvsdbServer, startOvsdbServer } from '../packages/ovsdb/src/testing/server.ts';
import { type BenchResult, currentConditions, type Measurement, measurement, sampled, timed } from './harness.ts';

const nb = 'OVN_Northbound';
const inFlight = 64;
const batch = 100;
const replicaRows = 10_000;

/** What the OVSDB client costs against a real ovsdb-server on a unix socket, with an OVN Northbound database. */
export async function run(): Promise<BenchResult> {
	const conditions = currentConditions();
	await using server = await startOvsdbServer({ schemaPath: nbSchemaPath });
	await using session = open(server);
	const results = [
		await sequential(session),
		await pipelined(session),
		await batched(session),
		await replicaLoad(server, session),
		await notification(server, session),
	];
	return { name: 'ovsdb', conditions, results };
}

function open(server: OvsdbServer): Session {
	return connect({ clock: systemClock, random: Math.random, log: silentLogger }, { endpoint: server.endpoint });
}

async function sequential(session: Session): Promise<Measurement> {
	const samples = await sampled(5000, (index) => session.transact(nb, [insertSet(`sequential${index}`)]));
	return measurement('insert, one after the other', samples, { perSecond: rate(samples.length, sum(samples)) });
}

async function pipelined(session: Session): Promise<Measurement> {
	const samples: number[] = [];
	const total = 20_000;
	let next = 0;
	const lane = async (): Promise<void> => {
		while (next < total) {
			const name = `pipelined${next++}`;
			samples.push(await timed(() => session.transact(nb, [insertSet(name)])));
		}
	};
	const elapsed = await timed(() => Promise.all(Array.from({ length: inFlight }, lane)));
	return measurement('insert, pipelined', samples, { perSecond: rate(total, elapsed), note: `${inFlight} in flight` });
}

async function batched(session: Session): Promise<Measurement> {
	const samples = await sampled(100, (index) =>
		session.transact(
			nb,
			many(batch, (row) => insertSet(`batched${index}.${row}`)),
		),
	);
	return measurement('insert, batched', samples, {
		perSecond: rate(samples.length * batch, sum(samples)),
		note: `${batch} rows each, rows/s`,
	});
}

async function replicaLoad(server: OvsdbServer, session: Session): Promise<Measurement> {
	await session.transact(nb, [{ op: 'delete', table: 'Address_Set', where: [] }]);
	const ports = many(replicaRows, insertPort);
	const names = ports.map((_, index) => ['named-uuid', `port${index}`] as const);
	await session.transact(nb, [...ports, { op: 'insert', table: 'Logical_Switch', row: { name: 'net', ports: ['set', names] } }]);
	const samples = await sampled(20, async () => {
		await using reader = open(server);
		const replica = await reader.monitor(nb, { Logical_Switch_Port: {}, Logical_Switch: {} });
		if (replica.table('Logical_Switch_Port').size !== replicaRows) throw new Error('the replica is not complete');
	});
	return measurement('replica, connected and loaded', samples, { note: `${replicaRows} ports` });
}

/** From the call that makes a change to its arrival in another session's replica, which holds the ports as well. */
async function notification(server: OvsdbServer, session: Session): Promise<Measurement> {
	await using reader = open(server);
	const replica = await reader.monitor(nb, { Logical_Switch_Port: {}, Address_Set: {} });
	let arrived = (): void => {};
	replica.onChange(() => arrived());
	const samples = await sampled(1000, async (index) => {
		const change = new Promise<void>((resolve) => {
			arrived = resolve;
		});
		await Promise.all([change, session.transact(nb, [insertSet(`notified${index}`)])]);
	});
	return measurement('change, committed and in a replica', samples, { note: `beside ${replicaRows} ports` });
}

function insertSet(name: string): Operation {
	return { op: 'insert', table: 'Address_Set', row: { name, addresses: ['set', ['10.16.0.2', '10.16.0.3']] } };
}

/** A port as the controller writes it. */
function insertPort(index: number): Operation {
	const addresses = `0a:58:0a:10:${hex(index >> 8)}:${hex(index)} 10.16.${index >> 8}.${index & 255}`;
	const externalIds = [
		['vendor', 'tapestry'],
		['tapestry-owner', `Pod/default/pod-${index}`],
	] as const;
	return {
		op: 'insert',
		table: 'Logical_Switch_Port',
		'uuid-name': `port${index}`,
		row: {
			name: `pod-${index}.default`,
			addresses,
			port_security: addresses,
			options: ['map', [['requested-chassis', `node-${index % 100}`]]],
			external_ids: ['map', externalIds],
		},
	};
}

function hex(value: number): string {
	return (value & 255).toString(16).padStart(2, '0');
}

function many(count: number, operation: (index: number) => Operation): readonly Operation[] {
	return Array.from({ length: count }, (_, index) => operation(index));
}

function sum(samples: readonly number[]): number {
	return samples.reduce((total, sample) => total + sample, 0);
}

function rate(count: number, ms: number): number {
	return (count / ms) * 1000;
}
