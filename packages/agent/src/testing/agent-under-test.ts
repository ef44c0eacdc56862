import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Clock, type Logger, silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { LinkMonitor } from '@tapestry/linux';
import { until } from '../../../base/src/testing/until.ts';
import type { AttachmentModes } from '../attach/attachment.ts';
import { Journal } from '../attach/journal.ts';
import { createModes } from '../attach/modes.ts';
import { createSandboxRuleLoader } from '../attach/sandbox-rules.ts';
import type { PluginAnswer } from '../cni/call.ts';
import { CniCommands, type CniOptions } from '../cni/commands.ts';
import type { Command } from '../cni/request.ts';
import { attachmentFiles } from '../kata/attachment-files.ts';
import { type VirtualFunctions, virtualFunctions } from '../kata/virtual-functions.ts';
import { Mirrors } from '../node/mirrors.ts';
import { IntegrationBridge } from '../switch/integration-bridge.ts';
import { PortMirror } from '../switch/port-mirror.ts';
import { FakeRules } from './fake-rules.ts';

import { FakeWorkloads } from './fake-workloads.ts';
import type { MiniNode, Sandbox } from './mini-node.ts';

export interface CallOptions {
	readonly containerId: string;
	readonly sandbox: Pick<Sandbox, 'path'>;
	readonly pod?: string;
	readonly version?: string;
	readonly config?: Readonly<Record<string, unknown>>;
	readonly signal?: AbortSignal;
}

/** The agent's core on a mini node, called as the plugin calls it. */
export interface AgentUnderTest {
	readonly commands: CniCommands;
	readonly workloads: FakeWorkloads;
	readonly rules: FakeRules;
	readonly journal: Journal;
	readonly bridge: IntegrationBridge;
	readonly modes: AttachmentModes;
	/** Seconds of each step in order. */
	readonly steps: { readonly step: string; readonly seconds: number }[];
	/** Lets go of everything without cleaning up, as a killed agent does; its namespaces, ports and journal stay. */
	abandon(): Promise<void>;
	/** Has these logical ports mirrored, and no others; resolves when the switch has been told. Nothing is mirrored or cleaned up before the first call. */
	mirror(ports: readonly string[]): Promise<void>;
	/** Resolves when the switch has the flows of a device's port. */
	installed(device: string): Promise<true>;
	call(command: Command, options: CallOptions): Promise<PluginAnswer & { readonly json: Record<string, unknown> }>;
}

export interface AgentOptions extends CniOptions {
	readonly log?: Logger;
	/** By which the limits of its commands end. @default the machine's */
	readonly clock?: Clock;
	/** Is told of each step as it ends. */
	readonly onStep?: (step: string) => void;
	readonly isVmm?: (executable: string) => boolean;
	/** What probes find on the node. @default what is there */
	readonly exists?: (path: string) => boolean;
	/** @default none */
	readonly rules?: FakeRules;
	/** @default those of the machine */
	readonly virtualFunctions?: VirtualFunctions;
}

export async function startAgent(node: Pick<MiniNode, 'connect' | 'host' | 'run'>, options: AgentOptions = {}): Promise<AgentUnderTest> {
	const log = options.log ?? silentLogger;
	const session = node.connect();
	const bridge = await IntegrationBridge.open(session);
	const journal = new Journal({ log }, { dir: join(node.run, 'journal') });
	const workloads = new FakeWorkloads();
	const rules = options.rules ?? new FakeRules();
	const steps: { step: string; seconds: number }[] = [];
	const observe = (step: string, seconds: number): void => {
		steps.push({ step, seconds });
		options.onStep?.(step);
	};
	const monitor = new LinkMonitor();
	const created = createModes(
		{
			...{ host: node.host, bridge, clock: systemClock, observe, log, monitor },
			needs: { exists: options.exists ?? existsSync },
			kata: attachmentFiles(join(node.run, 'dans')),
			virtualFunctions: options.virtualFunctions ?? virtualFunctions(node.host),
			loadRules: createSandboxRuleLoader({ dir: join(node.run, 'sandbox-rules') }),
			rules,
		},
		// The stand-in for a VMM is a program of ours.
		{
			isVmm: options.isVmm ?? ((executable) => executable === basename(process.execPath)),
			sockets: join(node.run, 'vhost-user'),
		},
	);
	const { modes } = created;
	let mirrored = new Set<string>();
	let mirrors: Mirrors | undefined;
	const clock = options.clock ?? systemClock;
	const commands = new CniCommands({ clock, log, source: workloads, journal, bridge, observe, modes }, options);
	await commands.recover();
	return {
		commands,
		workloads,
		rules,
		journal,
		bridge,
		modes,
		steps,
		async mirror(ports) {
			mirrored = new Set(ports);
			mirrors ??= new Mirrors({
				...{ clock: systemClock, log, host: node.host, monitor, mirror: await PortMirror.open(session) },
				synced: async () => {},
				wanted: () => mirrored,
			});
			await mirrors.look();
		},
		async abandon() {
			await mirrors?.[Symbol.asyncDispose]();
			await created[Symbol.asyncDispose]();
			monitor[Symbol.dispose]();
			await session.close();
		},
		installed: (device) =>
			until(
				() => `the flows of ${device}: it is ${JSON.stringify(bridge.port(device))}`,
				(listener) => bridge.onChange(listener),
				() => bridge.port(device)?.installed === true,
			),
		async call(command, { containerId, sandbox, pod = containerId, version = '1.0.0', config = {}, signal }) {
			const answer = await commands.handle(
				{
					env: {
						CNI_COMMAND: command,
						CNI_CONTAINERID: containerId,
						CNI_NETNS: sandbox.path,
						CNI_IFNAME: 'eth0',
						CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`,
						CNI_PATH: '/opt/cni/bin',
					},
					stdin: JSON.stringify({ cniVersion: version, name: 'tapestry', type: 'kube-ovn', ...config }),
				},
				signal ?? new AbortController().signal,
			);
			return { ...answer, json: answer.body === '' ? {} : JSON.parse(answer.body) };
		},
	};
}
