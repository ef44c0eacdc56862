import { join } from 'node:path';
import { captureInWorkload } from '../access/exec.ts';
import { kubectl } from '../access/kubectl.ts';
import { listWorkloads, type RunningWorkload } from '../access/workloads.ts';
import type { LabLayout } from '../layout.ts';
import { type ProcessDeps, run } from '../process.ts';
import { labClient } from '../up/kinds.ts';
import type { Steps } from '../up/steps.ts';
import { assertProof, formatProof, prove } from './run.ts';
import { formatTable } from './table.ts';

const namespace = 'demo';
/** Where the example shows a policy (shop.yaml). */
const closedNamespace = 'shop';
const directory = join(import.meta.dirname, '..', '..', '..', '..', 'examples', 'demo');
/** Under emulation on a busy machine a guest has taken most of a minute. */
const patienceSeconds = 120;

export interface ExampleResult {
	/** The table of what runs where. */
	readonly workloads: string;
	/** The matrix of who answers whom. */
	readonly proof: string;
}

/** The last step of `npm start`: applies examples/demo, waits until all of it answers, and measures. @throws PROOF_FAILED */
export async function startExample(deps: ProcessDeps, layout: LabLayout, steps: Steps, signal: AbortSignal): Promise<ExampleResult> {
	using client = labClient(layout);
	const workloads = await steps.step('examples/demo: every pod and the VM answer', `${layout.logs}/`, async () => {
		await kubectl(deps, layout, ['apply', '-f', directory]);
		const wait = (place: string) => ['wait', '-n', place, '--for=condition=Ready', `--timeout=${patienceSeconds}s`];
		const options = { timeoutMs: patienceSeconds * 1000 + 5000 };
		await kubectl(deps, layout, [...wait(namespace), 'virtualmachines', '--all'], options);
		await kubectl(deps, layout, [...wait(namespace), 'pods', '--all'], options);
		await kubectl(deps, layout, [...wait(closedNamespace), 'pods', '--all'], options);
		const running = await listWorkloads(client, namespace);
		await untilAllAnswer(deps, layout, running, signal);
		return running;
	});
	const cells = await prove(deps, layout, workloads, signal);
	const result = { workloads: await workloadTable(deps, layout, workloads), proof: formatProof(cells) };
	assertProof(cells);
	return result;
}

/** `ping -c 1 -w N` sends until the first answer or the end, so nothing here looks twice. A silent one shows in the matrix. */
async function untilAllAnswer(
	deps: ProcessDeps,
	layout: LabLayout,
	workloads: readonly RunningWorkload[],
	signal: AbortSignal,
): Promise<void> {
	const from = workloads.find(({ kind }) => kind === 'pod');
	if (!from) return;
	const addresses = workloads.filter((workload) => workload !== from).flatMap((workload) => workload.addresses);
	await Promise.all(
		addresses.map((address) =>
			captureInWorkload(deps, layout, from, ['ping', '-c', '1', '-i', '0.2', '-w', String(patienceSeconds), address], signal),
		),
	);
}

async function workloadTable(deps: ProcessDeps, layout: LabLayout, workloads: readonly RunningWorkload[]): Promise<string> {
	const plugged = new Map(
		await Promise.all(
			[...new Set(workloads.map(({ node }) => node))].map(async (node) => [node, await pluggedPorts(deps, layout, node)] as const),
		),
	);
	const rows = [...workloads]
		.sort((a, b) => `${a.node} ${a.kind} ${a.name}`.localeCompare(`${b.node} ${b.kind} ${b.name}`))
		.map(({ kind, name, node, addresses, mac }) => {
			const device = kind === 'vm' ? 'tap0' : 'eth0';
			const path = plugged.get(node)?.has(mac.toLowerCase()) ? `${device} -> br-int` : `${device}, not plugged`;
			return [node, kind, `${namespace}/${name}`, addresses.join(' '), mac, path];
		});
	return formatTable([['NODE', 'KIND', 'NAME', 'IP', 'MAC', 'PATH'], ...rows]);
}

/** The MACs whose ports are in the node's br-int, as its Open vSwitch says. */
async function pluggedPorts(deps: ProcessDeps, layout: LabLayout, node: string): Promise<ReadonlySet<string>> {
	const { ovsdb } = layout.node(node);
	const text = await run(deps, [
		'ovs-vsctl',
		`--db=unix:${ovsdb}`,
		'--timeout=10',
		'--format=json',
		'--columns=external_ids',
		'list',
		'Interface',
	]);
	const { data } = JSON.parse(text) as { readonly data: readonly [readonly ['map', readonly (readonly [string, string])[]]][] };
	return new Set(data.flatMap(([[, ids]]) => ids.filter(([key]) => key === 'attached-mac').map(([, mac]) => mac.toLowerCase())));
}
