import { crdsEstablished, createLeaderElector, type KubeDeps, type Pod } from '@tapestry/kube';
import {
	customResourceDefinitions,
	monitoredColumns,
	nbSchema,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
} from '@tapestry/network';
import type { MonitorRequest, Session } from '@tapestry/ovsdb';
import { lead, type TermDeps, type TermOptions } from './term.ts';
import { instanceOf, reviewLauncher } from './webhook/launcher.ts';
import { launcherSurroundings } from './webhook/launcher-surroundings.ts';
import { launcherPath, registerWebhooks, validatePath } from './webhook/registration.ts';
import { type AdmissionRequest, type AdmissionResponse, allowed, reviewObject } from './webhook/review.ts';
import { startWebhookServer } from './webhook/server.ts';
import { openSources, type Sources } from './world/sources.ts';

export interface ControllerDeps extends KubeDeps {
	readonly session: Session;
}

export interface ControllerOptions extends TermOptions {
	/** Identity for leader election: unique among running controllers, the same after a restart. */
	readonly id: string;
	/** Where the API server reaches this program's admission webhooks; without it there are none. */
	readonly webhook?: { readonly host: string; readonly port: number };
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
	await using webhook = await openWebhook(deps, sources, options);
	onReady();
	const elector = createLeaderElector(deps, { ...leaderLease, identity: options.id });
	await elector.run(signal, { onStarted: (leading) => lead({ ...deps, ...webhook?.registration, sources, replica }, options, leading) });
}

interface OpenWebhook extends AsyncDisposable {
	readonly registration: Pick<TermDeps, 'register'>;
}

async function openWebhook(deps: ControllerDeps, sources: Sources, options: ControllerOptions): Promise<OpenWebhook | undefined> {
	if (!options.webhook) return undefined;
	const { client, clock, log } = deps;
	const { subnets, vpcs, ipPools, ips, adminPolicies } = sources;
	const now = () => ({
		subnets: [...subnets.objects.values()],
		vpcs: [...vpcs.objects.values()],
		ipPools: [...ipPools.objects.values()],
		leases: [...ips.objects.values()],
		adminPolicies: [...adminPolicies.objects.values()],
	});
	const review = (request: AdmissionRequest) => reviewObject(request, now(), options);
	const launcher = async (request: AdmissionRequest): Promise<AdmissionResponse> => {
		const about = request.object ? instanceOf(request.object as Pod) : undefined;
		if (!about) return allowed;
		// The instance is older than its launcher, but our copy may not have it yet, or one of the same name that is gone.
		const known = sources.vmis.objects.get(`${about.namespace}/${about.name}`);
		const vmi = known?.metadata.uid === about.uid ? known : await client.get<VirtualMachineInstance>(virtualMachineInstanceResource, about);
		return reviewLauncher(request, vmi, launcherSurroundings(vmi, sources, options));
	};
	const reviews = { [validatePath]: review, [launcherPath]: launcher };
	const server = await startWebhookServer({ log, now: () => clock.now() }, { ...options.webhook, reviews });
	return {
		registration: { register: (leading) => registerWebhooks(client, server, leading) },
		[Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
	};
}
