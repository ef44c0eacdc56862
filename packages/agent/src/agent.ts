import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Cidr, CodedError, metricsContentType, type Signal } from '@tapestry/base';
import {
	createReflector,
	type EndpointSlice,
	endpointSlices,
	type KubeDeps,
	type KubeObject,
	type Pod,
	pods,
	type Resource,
	type Service,
	services,
} from '@tapestry/kube';
import { LinkMonitor, linkStatistics, Namespace, openRoute } from '@tapestry/linux';
import { type IpLease, ipResource, labels, nodePortName, type Subnet, subnetResource } from '@tapestry/network';
import type { Session } from '@tapestry/ovsdb';
import type { AttachmentModes } from './attach/attachment.ts';
import { Journal } from './attach/journal.ts';
import { createModes } from './attach/modes.ts';
import { createSandboxRuleLoader } from './attach/sandbox-rules.ts';
import { isVmm } from './attach/vmm.ts';
import { CniCommands } from './cni/commands.ts';
import { serveCni } from './cni/server.ts';
import { followHostLaunchers } from './host-launchers.ts';
import { attachmentFiles } from './kata/attachment-files.ts';
import { virtualFunctions } from './kata/virtual-functions.ts';
import { KubeWorkloads } from './leases/kube-workloads.ts';
import { leaseRules } from './leases/lease-rules.ts';
import { createAgentMetrics } from './metrics.ts';
import { HealthChecks, healthChecks } from './node/health-checks.ts';
import { createRuleLoader } from './node/load-rules.ts';
import { Mirrors, mirroredPorts } from './node/mirrors.ts';
import { nodeNetwork } from './node/node-network.ts';
import { NodePort } from './node/node-port.ts';
import { NodeRules } from './node/node-rules.ts';
import { nodeServices, reachOf } from './node/node-services.ts';
import { nodeRuleset } from './node/ruleset.ts';
import { type Ruleset, transaction } from './node/ruleset-change.ts';
import { renderPortCounters } from './port-counters.ts';
import { IntegrationBridge } from './switch/integration-bridge.ts';
import { PortMirror } from './switch/port-mirror.ts';

export interface AgentDeps extends KubeDeps {
	/** The node's own Open_vSwitch database. */
	readonly session: Session;
}

export interface AgentOptions {
	/** Name of the Node object. */
	readonly node: string;
	/** Unix socket for the CNI plugin. */
	readonly socket: string;
	/** Directory of the journal, on a tmpfs. */
	readonly state: string;
	/** For subnets that set none. */
	readonly mtu: number;
	/** Whether KubeVirt's virt-handler is on the node and makes what its own bindings take. @default false */
	readonly hasVirtHandler?: boolean;
	readonly serviceCidrs: readonly Cidr[];
	/** Where Kata looks for the NICs of its sandboxes: `dan_conf` of its configuration. */
	readonly kata: string;
}

/**
 * The agent of one node; it runs in the node's network namespace. Resolves when the plugin is served, which needs the node's Open vSwitch but not the
 * Kubernetes API: what is attached can be removed without it, and attachments wait for their lease.
 */
export async function startAgent(deps: AgentDeps, options: AgentOptions, signal: Signal): Promise<AsyncDisposable> {
	const { clock, log, session, client } = deps;
	await using stack = new AsyncDisposableStack();
	const namespace = stack.use(Namespace.current());
	const host = { namespace, route: stack.use(openRoute()) };
	const monitor = stack.use(new LinkMonitor());
	const bridge = await IntegrationBridge.open(session, { signal });
	const mirror = await PortMirror.open(session, { signal });
	const metrics = createAgentMetrics();

	const onNode = { labelSelector: `${labels.nodeName}=${options.node}` };
	const follow = <T extends KubeObject>(
		resource: Resource,
		selection: { readonly labelSelector?: string; readonly fieldSelector?: string },
	) => stack.use(createReflector<T>(deps, { resource, ...selection }));
	const podsHere = follow<Pod>(pods, { fieldSelector: `spec.nodeName=${options.node}` });
	const leases = follow<IpLease>(ipResource, onNode);
	const subnets = follow<Subnet>(subnetResource, {});
	const source = new KubeWorkloads({ client, pods: podsHere, leases, subnets }, options);

	const journal = new Journal({ log }, { dir: join(options.state, 'attachments') });
	const { modes } = stack.use(
		createModes(
			{
				...{ clock, log, host, bridge, monitor, observe: metrics.observe },
				needs: { exists: existsSync },
				kata: attachmentFiles(options.kata),
				virtualFunctions: virtualFunctions(host),
				loadRules: createSandboxRuleLoader({ dir: join(options.state, 'sandbox-rules') }),
				rules: leaseRules(leases),
			},
			{ isVmm, sockets: join(options.state, 'vhost-user') },
		),
	);
	const commands = new CniCommands({ clock, log, source, journal, modes, bridge, observe: metrics.observe });
	await commands.recover();
	const hostLaunchers = new AbortController();
	const followed = followHostLaunchers({ ...deps, pods: podsHere, source, journal, modes }, hostLaunchers.signal).catch(
		(error: unknown) => {
			if (!hostLaunchers.signal.aborted) log.error('launchers in the network of the node are not followed any more', { error });
		},
	);
	stack.defer(async () => {
		hostLaunchers.abort(new CodedError('ABORTED', 'the agent ends'));
		await followed;
	});

	// From here to the subscriptions nothing is awaited: what the API said meanwhile would reach nobody.
	const ownLease = nodePortName(options.node);
	const network = () => {
		const lease = leases.objects.get(ownLease);
		return lease && nodeNetwork(lease, subnets.objects.values(), options);
	};
	const nodePort = stack.use(new NodePort({ clock, log, host, bridge, monitor, wanted: network }));
	const mirrors = stack.use(
		new Mirrors({
			...{ clock, log, host, monitor, mirror },
			synced: (signal) => leases.synced(signal),
			wanted: () => mirroredPorts(leases.objects.values()),
		}),
	);
	const served = follow<Service>(services, {});
	const slices = follow<EndpointSlice>(endpointSlices, {});
	const nodeRules = stack.use(
		new NodeRules<Ruleset>({
			...{ clock, log },
			change: transaction,
			load: createRuleLoader({ file: join(options.state, 'node-rules.json') }),
			synced: (signal) => Promise.all([leases, subnets, served, slices].map((reflector) => reflector.synced(signal))),
			wanted: () => {
				const known = network();
				const where = { node: options.node, reach: reachOf(subnets.objects.values()) };
				return known && nodeRuleset(known, nodeServices(served.objects.values(), slices.objects.values(), where));
			},
		}),
	);
	leases.onChange(({ key }) => {
		void mirrors.look();
		if (key === ownLease) void Promise.all([nodePort.look(), nodeRules.look()]);
	});
	subnets.onChange(() => void Promise.all([nodePort.look(), nodeRules.look()]));
	const checks = stack.use(new HealthChecks({ log }));
	for (const reflector of [served, slices]) {
		reflector.onChange(() => {
			void nodeRules.look();
			checks.set(healthChecks(served.objects.values(), slices.objects.values(), options.node));
		});
	}

	stack.use(
		await serveCni(
			{
				log,
				handle: (call, gone) => commands.handle(call, gone),
				pages: {
					'/ports': () => ({ type: 'application/json', body: JSON.stringify(describePorts(journal, modes)) }),
					'/modes': async () => ({ type: 'application/json', body: JSON.stringify(await describeModes(modes)) }),
					'/rules': () => ({
						type: 'application/json',
						body: (nodeRules.loaded && transaction(undefined, nodeRules.loaded)) ?? '{"nftables":[]}',
					}),
					'/metrics': () => ({
						type: metricsContentType,
						body: metrics.render(journal.all().length) + renderPortCounters(journal.all(), linkStatistics(host.route)),
					}),
				},
			},
			{ path: options.socket },
		),
	);
	return stack.move();
}

/** What is attached on this node and how, for people and tools. */
function describePorts(journal: Journal, modes: AttachmentModes): readonly unknown[] {
	return journal.all().map((attachment) => {
		const { containerId, ifname, pod, mode, port } = attachment;
		return { containerId, ifname, pod, mode, port, ...modes[mode].describe(attachment) };
	});
}

/** What this node lacks for each of the modes; nothing for those that it can do. */
async function describeModes(modes: AttachmentModes): Promise<Readonly<Record<string, readonly string[]>>> {
	const all = Object.values(modes).filter(({ name }) => name !== 'veth');
	return Object.fromEntries(await Promise.all(all.map(async (mode) => [mode.name, await mode.probe()] as const)));
}
