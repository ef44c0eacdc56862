import type { Clock, Logger } from '@tapestry/base';
import { crdsEstablished, createLeaderElector, type KubeClient } from '@tapestry/kube';
import { customResourceDefinitions, monitoredColumns, nbSchema } from '@tapestry/network';
import type { MonitorRequest, Session } from '@tapestry/ovsdb';
import { lead, type TermOptions } from './term.ts';
import { openSources } from './world/sources.ts';

export interface ControllerDeps {
	readonly client: KubeClient;
	readonly session: Session;
	readonly clock: Clock;
	readonly random: () => number;
	readonly log: Logger;
}

export interface ControllerOptions extends TermOptions {
	/** Identity for leader election: unique among running controllers, the same after a restart. */
	readonly id: string;
}

const leaderLease = { name: 'tapestry-controller', namespace: 'kube-system' };

/** Runs one controller until the signal is aborted. `onReady` is called when it has read everything and stands for election. */
export async function runController(
	deps: ControllerDeps,
	options: ControllerOptions,
	signal: AbortSignal,
	onReady: () => void,
): Promise<void> {
	await crdsEstablished(
		deps,
		customResourceDefinitions().map((definition) => definition.metadata.name),
		signal,
	);
	await using sources = openSources(deps);
	const tables: MonitorRequest = Object.fromEntries(Object.entries(monitoredColumns).map(([table, columns]) => [table, { columns }]));
	const replica = await deps.session.monitor(nbSchema.name, tables, { signal });
	await sources.synced(signal);
	onReady();
	const elector = createLeaderElector(deps, { ...leaderLease, identity: options.id });
	await elector.run(signal, { onStarted: (leading) => lead({ ...deps, sources, replica }, options, leading) });
}
