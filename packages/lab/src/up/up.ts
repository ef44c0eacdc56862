import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@tapestry/base';
import { removeLab } from '../cleanup.ts';
import { findAccelerator } from '../guest/accelerator.ts';
import { buildGuestImage } from '../guest/image.ts';
import { type LabLayout, labMarker } from '../layout.ts';
import { installCni } from '../nodes/cni.ts';
import { createNode, type LabNode, labNodes } from '../nodes/node.ts';
import type { ProcessDeps } from '../process.ts';
import { programPid } from '../programs.ts';
import { checkMachine, installPackages, missingPackages } from '../setup/apt.ts';
import { buildPlugin, cacheDir } from '../setup/build.ts';
import { startControllers, startControlPlane } from './control-plane.ts';
import { installKinds } from './kinds.ts';
import { startAgent, startKubelet } from './node-programs.ts';
import type { Steps } from './steps.ts';

export interface UpOptions {
	readonly nodes: number;
	/** Names of the nodes whose Open vSwitch gets DPDK. @default none */
	readonly dpdk?: readonly string[];
	readonly signal: AbortSignal;
}

/** What `up` leaves behind in lab.json once the lab is whole. */
export interface LabSpec {
	readonly nodes: number;
	readonly dpdk?: readonly string[];
}

/** The programs of a lab, as their pid files are named. */
export function labPrograms(spec: LabSpec): readonly string[] {
	const perNode = labNodes(spec.nodes).flatMap(({ name }) => [`${name}-agent`, `${name}-kubelet`]);
	return ['apiserver', 'proxy', 'controller', 'scheduler', 'controller-manager', 'node-lifecycle', 'virt-controller', ...perNode];
}

export function readSpec(layout: LabLayout): LabSpec | undefined {
	return existsSync(layout.spec) ? (JSON.parse(readFileSync(layout.spec, 'utf8')) as LabSpec) : undefined;
}

/**
 * Brings the lab up, in five steps. A lab that runs whole is left as it is; what a killed `up` left is removed first.
 * @throws LAB_NODES when it runs with other nodes, or there is none of a name in `dpdk`
 */
export async function up(deps: ProcessDeps, layout: LabLayout, steps: Steps, options: UpOptions): Promise<void> {
	const { signal } = options;
	checkMachine(deps);
	const spec = readSpec(layout);
	const whole = spec !== undefined && labPrograms(spec).every((name) => programPid(layout, name) !== undefined);
	const nodes = planNodes(layout, options, whole ? spec : undefined);
	const marked: ProcessDeps = { env: { ...deps.env, [labMarker]: layout.dir } };

	await steps.step('Debian packages', '/var/log/dpkg.log', () => installPackages(deps, missingPackages(deps), { signal }));
	const built = await steps.step('CNI plugin and guest image', layout.logs, async () => {
		const [plugin, guest] = await Promise.all([buildPlugin(deps, signal), buildGuestImage(deps, join(cacheDir, 'guest'), signal)]);
		return { plugin, guest };
	});
	// Where KVM opens but does not work, finding out takes ten seconds: they pass while the rest is started.
	let accelerator: Promise<unknown> = Promise.resolve();
	const unlessWhole = (work: () => Promise<void>) => (whole ? async () => {} : work);
	await steps.step(
		'OVN databases and Kubernetes API',
		`${layout.logs}/apiserver.log`,
		unlessWhole(async () => {
			await removeLab(deps, layout);
			mkdirSync(layout.logs, { recursive: true });
			accelerator = findAccelerator(marked, built.guest, { signal });
			accelerator.catch(() => {});
			await startControlPlane(marked, layout, nodes, signal);
			await installKinds(layout, signal);
		}),
	);
	await steps.step(
		`${nodes.length} nodes with Open vSwitch`,
		layout.logs,
		unlessWhole(async () => {
			for (const { name } of nodes) installCni(layout, name, built.plugin);
			await Promise.all(nodes.map((node) => createNode(marked, layout, node, signal)));
		}),
	);
	await steps.step(
		'controller, agents, kubelets',
		`${layout.logs}/controller.log`,
		unlessWhole(async () => {
			await startControllers(marked, layout, signal);
			await Promise.all(nodes.map((node) => startNodePrograms(marked, layout, node, built.guest.directory, signal)));
			await accelerator;
			writeFileSync(layout.spec, JSON.stringify({ nodes: nodes.length, dpdk: options.dpdk ?? [] } satisfies LabSpec));
		}),
	);
}

/** The nodes that are asked for, unless others run already. */
function planNodes(layout: LabLayout, { nodes: count, dpdk }: UpOptions, running: LabSpec | undefined): readonly LabNode[] {
	const nodes = labNodes(count, dpdk);
	const stranger = dpdk?.find((name) => !nodes.some((node) => node.name === name));
	if (stranger !== undefined) {
		throw new CodedError('LAB_NODES', {
			what: `node ${stranger} cannot get DPDK`,
			why: `lab ${layout.id} is to have only ${nodes.map(({ name }) => name).join(', ')}`,
			fix: 'name one of these, or raise --nodes',
		});
	}
	const isAnother = running && (running.nodes !== count || (dpdk && dpdk.join() !== (running.dpdk ?? []).join()));
	if (!isAnother) return nodes;
	throw new CodedError('LAB_NODES', {
		what: `lab ${layout.id} runs with ${nodesInWords(running)}, not ${nodesInWords({ nodes: count, dpdk: dpdk ?? [] })}`,
		fix: 'take it down first: npm run lab -- down',
	});
}

const nodesInWords = ({ nodes, dpdk = [] }: LabSpec): string =>
	`${nodes} ${nodes === 1 ? 'node' : 'nodes'}${dpdk.length > 0 ? ` (${dpdk.join(', ')} with DPDK)` : ''}`;

async function startNodePrograms(deps: ProcessDeps, layout: LabLayout, node: LabNode, guest: string, signal: AbortSignal): Promise<void> {
	await Promise.all([startAgent(deps, layout, node, signal), startKubelet(deps, layout, node, guest, signal)]);
}
