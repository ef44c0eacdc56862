import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { openSources, verifyNorthbound } from '@tapestry/controller';
import { systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { execute, labProcesses } from '@tapestry/lab';
import { defaultNames, monitoredColumns, nbSchema } from '@tapestry/network';
import { connect } from '@tapestry/ovsdb';
import { afterAll, expect } from 'vitest';
import { deps, sharedLab } from './lab.ts';

/** After each file: the Northbound database is what the API's objects compile to, and the machine's own namespace is as clean as before. */
afterAll(async () => {
	expect(await discrepancies()).toEqual([]);
	const { stdout } = await execute(deps, { argv: ['ip', '-brief', 'link'] });
	expect(stdout, 'links in the root namespace').not.toMatch(/^(tap|p-n|ovn0|br-int)/m);
	expect(labProcesses(sharedLab()).length).toBeGreaterThan(0);
});

/** Deletions are still being worked off when a file ends: look after each change of the database until it is right, or until the deadline. */
async function discrepancies(): Promise<readonly unknown[]> {
	const io = { clock: systemClock, random: Math.random, log: silentLogger };
	const signal = AbortSignal.timeout(20_000);
	using client = createKubeClient(io, { kubeconfig: sharedLab().kubeconfig });
	await using session = connect(io, { endpoint: `unix:${join(sharedLab().central, 'nb.sock')}` });
	await using sources = openSources({ ...io, client });
	const columns = Object.entries(monitoredColumns).map(([table, list]) => [table, { columns: list }] as const);
	const replica = await session.monitor(nbSchema.name, Object.fromEntries(columns), { signal });
	await sources.synced(signal);
	const tables = () => Object.fromEntries(Object.keys(monitoredColumns).map((table) => [table, replica.table(table)]));
	const look = () =>
		verifyNorthbound(sources, tables(), {
			defaultVpc: defaultNames.vpc,
			defaultSubnet: defaultNames.subnet,
			joinSubnet: defaultNames.joinSubnet,
			serviceCidrs: [],
			mtu: 1442,
		});
	return new Promise((resolve) => {
		const settle = () => {
			const found = look();
			if (found.length > 0 && !signal.aborted) return;
			for (const stop of stops) stop();
			resolve(found);
		};
		const { vpcs, subnets, ips, nodes, services, endpointSlices } = sources;
		const stops = [replica, vpcs, subnets, ips, nodes, services, endpointSlices].map((source) => source.onChange(settle));
		signal.addEventListener('abort', settle);
		settle();
	});
}
