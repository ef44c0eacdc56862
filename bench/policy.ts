import { Compiler, compileAll, type Fragment } from '@tapestry/network';
import { runIn, startMiniNode } from '../packages/agent/src/testing/mini-node.ts';
import { type BenchOptions, type BenchResult, currentConditions, type Measurement, measurement, sampled, timed } from './harness.ts';
import { addChassis, bindPorts } from './policy/chassis.ts';
import { Northbound } from './policy/northbound.ts';
import { startProbe } from './policy/probe.ts';
import { leaseOf, policyOf, policyWorld } from './policy/world.ts';

const policies = 1000;
const ports = 1000;
const boundPorts = 20;
const changes = 100;
/** Changes while one prober runs, which keeps what arrives until its end, and how many probers one after the other. */
const probedChanges = 100;
const probedBatches = 10;

/** What policies cost the compiler, how soon a changed rule is enforced on every node, and what packets see meanwhile. */
export async function run(_options: BenchOptions): Promise<BenchResult> {
	const conditions = currentConditions();
	return { name: 'policy', conditions, results: [...compiling(), ...(await enforcing())] };
}

function compiling(): Measurement[] {
	const note = `${policies} NetworkPolicies of 50 pods each, ${ports} ports`;
	const wholes: number[] = [];
	for (let round = 0; round < 3; round++) {
		const { world, setPolicy } = policyWorld(ports, ['n1']);
		const start = performance.now();
		for (let index = 0; index < policies; index++) setPolicy(policyOf(index, 80));
		compileAll(world);
		wholes.push(performance.now() - start);
	}
	const { world, setPolicy } = policyWorld(ports, ['n1']);
	for (let index = 0; index < policies; index++) setPolicy(policyOf(index, 80));
	const compiler = new Compiler(world);
	const update = (): (readonly [string, Fragment | undefined])[] => [...compiler.update()];
	update();
	const time = (action: (index: number) => void) =>
		Array.from({ length: changes }, (_, index) => {
			const start = performance.now();
			action(index);
			const touched = update().length;
			if (touched > 2) throw new Error(`one change compiled ${touched} owners`);
			return performance.now() - start;
		});
	const rules = time((index) => setPolicy(policyOf((index * 7) % policies, 81 + index)));
	const pods = time((index) => world.set('IP', leaseOf(index, 'n2').name, { ...leaseOf(index, 'n2'), labels: { app: 'other' } }));
	return [
		measurement('read and compile all', wholes, { note }),
		measurement('one rule changes: compile', rules, { note }),
		measurement("one pod's labels change: compile", pods, { note }),
	];
}

async function enforcing(): Promise<Measurement[]> {
	await using node = await startMiniNode('policy');
	await using second = await addChassis(node, 1);
	await using third = await addChassis(node, 2);
	const chassis = [node, second, third];
	const names = chassis.map(({ name }) => name);
	const { world, setPolicy } = policyWorld(ports, names);
	for (let index = 0; index < ports; index += 10) setPolicy(policyOf(index, 80));
	for (const [place, { dir }] of chassis.entries()) {
		const own = Array.from({ length: boundPorts }, (_, index) => leaseOf(index * chassis.length + place, names[place] ?? ''));
		await bindPorts(
			dir,
			own.map(({ name, ownerUid }, index) => ({ device: `p${index}`, name, uid: ownerUid })),
		);
	}
	await using northbound = await Northbound.open(`unix:${node.dir}/nb.sock`, world);
	await northbound.commit();
	await northbound.enforced();
	const enforced = await sampled(changes, async (index) => {
		setPolicy(policyOf((index * 10) % ports, 81 + index));
		const transactions = await northbound.commit();
		if (transactions !== 1) throw new Error(`a rule change took ${transactions} transactions`);
		await northbound.enforced();
	});
	const note = `${ports} ports, ${ports / 10} policies, ${chassis.length} nodes with ${boundPorts} ports bound on each; from the object to hv_cfg`;
	return [measurement('a changed rule is enforced on every node', enforced, { note }), await probing()];

	/** Two ports of the first node: 5000 is open in every version of the policy, 5001 in none. */
	async function probing(): Promise<Measurement> {
		const ends = [0, 3].map((index) => leaseOf(index, node.name));
		const sandboxes = ends.map((lease, index) => {
			const sandbox = node.sandbox(`probe${index}`);
			runIn(node.host.namespace.path ?? `/run/netns/${node.name}`, ['ip', 'link', 'set', `p${index}`, 'netns', sandbox.name]);
			for (const command of [
				['ip', 'link', 'set', `p${index}`, 'address', lease.mac, 'up'],
				['ip', 'address', 'add', `${lease.v4}/16`, 'dev', `p${index}`],
			])
				sandbox.run(...command);
			return sandbox;
		});
		const [from, to] = sandboxes;
		const [, target] = ends;
		if (!from || !to || !target) throw new Error('no sandboxes');
		const version = (index: number) => ({
			metadata: { name: 'probed', namespace: 'ns0' },
			spec: {
				podSelector: { matchLabels: { p1: 'yes' } },
				ingress: [
					...(index % 2 ? [{ ports: [{ protocol: 'UDP' as const, port: 6000 + index }] }] : []),
					{
						from: [{ podSelector: { matchLabels: { app: 'a0' } } }],
						ports: [{ protocol: 'UDP' as const, port: 5000 }, { port: 7000 + index }],
					},
				],
			},
		});
		setPolicy(version(0));
		await northbound.commit();
		await northbound.enforced();
		const gaps: number[] = [];
		const total = { took: 0, sent: 0, open: 0, closed: 0 };
		for (let batch = 0; batch < probedBatches; batch++) {
			const probe = await startProbe(from.path, to.path, target.v4 ?? '', [5000, 5001]);
			total.took += await timed(async () => {
				for (let index = 1; index <= probedChanges; index++) {
					setPolicy(version(batch * probedChanges + index));
					await northbound.commit();
					await northbound.enforced();
				}
			});
			const { sent, arrived } = await probe.stop();
			const open = arrived[5000] ?? [];
			gaps.push(...open.slice(1).map((sequence, index) => sequence - (open[index] ?? 0) - 1));
			total.sent += sent;
			total.open += open.length;
			total.closed += arrived[5001]?.length ?? 0;
		}
		const { took, sent, open, closed } = total;
		const note = `${probedBatches * probedChanges} changes in ${Math.round(took)} ms, ${sent} probes a port: ${closed} let through that never may, ${sent - open} lost that always may (longest gap ${gaps.reduce((most, gap) => Math.max(most, gap), 0)} probes)`;
		return measurement('a 1 ms probe over rule changes', gaps.filter((gap) => gap > 0).length === 0 ? [0] : gaps.filter((gap) => gap > 0), {
			note,
		});
	}
}
