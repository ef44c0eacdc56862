import { CodedError, sleep } from '@tapestry/base';
import { listWorkloads } from '../access/workloads.ts';
import type { LabLayout } from '../layout.ts';
import { labNodes } from '../nodes/node.ts';
import { startExample } from '../proof/example.ts';
import { labClient } from '../up/kinds.ts';
import { createSteps } from '../up/steps.ts';
import { readSpec } from '../up/up.ts';
import { chooseFlows, type DemoFlow, isComplete } from './choose-flows.ts';
import { type FlowMeasure, measureFlow } from './gap.ts';
import { type FlowDeps, PingFlow } from './ping-flow.ts';
import { type Victim, victims } from './victims.ts';

export interface CrashDeps extends FlowDeps {
	/** Gets a line for each step of the work. */
	readonly write: (text: string) => void;
}

/** What one kill did to all flows. */
export interface CrashRow {
	readonly killed: string;
	/** From the kill until the program, started again, served; the time for which it was left dead is in it. */
	readonly backAfterMs: number;
	/** By the flow's name. */
	readonly flows: Readonly<Record<string, FlowMeasure>>;
}

export interface CrashReport {
	readonly intervalMs: number;
	/** The node whose programs were killed: the flows start or end there. */
	readonly node: string;
	/** What each flow is: `pod -> pod, same node IPv4`. */
	readonly flows: Readonly<Record<string, string>>;
	/** The flows when nothing is killed, to compare with. */
	readonly undisturbed: Readonly<Record<string, FlowMeasure>>;
	readonly kills: readonly CrashRow[];
}

const namespace = 'demo';
const intervalMs = 20;
/** About a second of answers. */
const settled = 1000 / intervalMs;
/** An outage that lasts longer is reported as one that did not end. */
const patienceMs = 30_000;
/** Kills one program after another with SIGKILL while pings run, and measures what the pings saw. @throws LAB_NOT_UP, DEMO_WORKLOADS, DEMO_FLOW, DEMO_VICTIM */
export async function crashDemo(deps: CrashDeps, layout: LabLayout, signal: AbortSignal): Promise<CrashReport> {
	const spec = readSpec(layout);
	if (!spec) throw new CodedError('LAB_NOT_UP', { what: `lab ${layout.id} is not up`, fix: 'bring it up: npm run lab -- up' });
	const chosen = await exampleFlows(deps, layout, signal);
	// Each flow starts or ends there.
	const node = labNodes(spec.nodes, spec.dpdk).find(({ name }) => name === chosen[0]?.from.node);
	if (!node) throw noWorkloads();

	const end = new AbortController();
	try {
		const running = AbortSignal.any([signal, end.signal]);
		const flows = new Map(
			chosen.map(({ name, from, address }) => [name, new PingFlow(deps, layout, { from, address, intervalMs, signal: running })]),
		);
		const measure = (from: number) => {
			const stretch = { from, to: deps.clock.now() };
			return Object.fromEntries([...flows].map(([name, { answers }]) => [name, measureFlow(answers, stretch)]));
		};
		await untilAnswering(flows, signal);
		const start = deps.clock.now();
		await sleep(deps.clock, 2000, signal);
		const undisturbed = measure(start);
		const kills: CrashRow[] = [];
		for (const victim of victims(deps, layout, node)) {
			deps.write(`killing ${victim.name}\n`);
			const { killedAt, backAt } = await killAndStart(deps, victim, signal);
			await untilAnswering(flows, signal);
			kills.push({ killed: victim.name, backAfterMs: backAt - killedAt, flows: measure(killedAt) });
		}
		return {
			intervalMs,
			node: node.name,
			flows: Object.fromEntries(chosen.map(({ name, description }) => [name, description])),
			undisturbed,
			kills,
		};
	} finally {
		end.abort();
	}
}

async function killAndStart(deps: CrashDeps, victim: Victim, signal: AbortSignal) {
	const pid = victim.pid();
	const killedAt = deps.clock.now();
	process.kill(pid, 'SIGKILL');
	try {
		await sleep(deps.clock, victim.deadMs, signal);
	} finally {
		// Also when the user has enough: the lab is left whole.
		await victim.start();
	}
	return { killedAt, backAt: deps.clock.now() };
}

/** Resolves when every flow has had answers for about a second, or the patience is at its end: then the measure says who is silent. */
async function untilAnswering(flows: ReadonlyMap<string, PingFlow>, signal: AbortSignal): Promise<void> {
	const all = Promise.all([...flows.values()].map((flow) => flow.more(settled)));
	const over = Promise.withResolvers<void>();
	const timer = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
	timer.addEventListener('abort', () => over.resolve());
	await Promise.race([all, over.promise]);
	signal.throwIfAborted();
}

/** The pairs of examples/demo to ping between; applies it when it does not run whole. */
async function exampleFlows(deps: CrashDeps, layout: LabLayout, signal: AbortSignal): Promise<readonly DemoFlow[]> {
	using client = labClient(layout);
	const found = chooseFlows(await listWorkloads(client, namespace));
	if (isComplete(found)) return found;
	await startExample(deps, layout, createSteps(deps, { total: 1 }), signal);
	const made = chooseFlows(await listWorkloads(client, namespace));
	if (!isComplete(made)) throw noWorkloads();
	return made;
}

function noWorkloads(): CodedError {
	return new CodedError('DEMO_WORKLOADS', {
		what: 'there is nothing to ping between',
		why: `namespace ${namespace} lacks pods on two nodes and a virtual machine that run`,
		fix: 'see `kubectl get pods,vm -n demo`; the lab needs two nodes',
	});
}
