import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import {
	customResourceDefinitions as crds,
	createKubeClient,
	type KubeClient,
	type KubeObject,
	namespaces,
	nodes,
	pods,
	services,
} from '@tapestry/kube';
import { execute } from '@tapestry/lab';
import {
	annotations,
	buildNetwork,
	compileAll,
	customResourceDefinitions,
	explain,
	ipResource,
	type LeaseFacts,
	labels,
	PolicySet,
	type ReachQuestion,
	selectorKey,
	snapshotOfFragments,
	type World,
} from '@tapestry/network';
import { connect } from '@tapestry/ovsdb';
import { startTestApiServer } from '../packages/apiserver/src/testing/server.ts';
import { compiledTables, writeFragments } from '../packages/cli/src/why/testing/ovn.ts';
import { defaultWorld, port, service, slice } from '../packages/network/src/compile/testing/worlds.ts';
import { nbSchemaPath, startOvsdbServer } from '../packages/ovsdb/src/testing/server.ts';
import { type BenchOptions, type BenchResult, currentConditions, type Measurement, measurement, sampled } from './harness.ts';
import { numberedLease } from './worlds.ts';

const sizes = [100, 10_000];
const policies = 100;
const nodeCount = 9;
const main = join(import.meta.dirname, '..', 'packages', 'cli', 'src', 'main.ts');

/** How long an answer to "why" takes beside N ports: as a library, and as a command that reads the API and the database. */
export async function run(_options: BenchOptions): Promise<BenchResult> {
	const conditions = currentConditions();
	const results: Measurement[] = [];
	for (const size of sizes) results.push(...(await measureSize(size)));
	return { name: 'why', conditions, results };
}

async function measureSize(size: number): Promise<Measurement[]> {
	const world = networkOf(size);
	const name = (what: string) => `${what}, ${size} ports`;
	const question: ReachQuestion = {
		from: { object: 'Pod/default/p0', port: leaseOf(0).name },
		to: { kind: 'workload', object: 'Pod/default/p1', port: leaseOf(size - 1).name },
		family: 4,
		protocol: 'tcp',
		targetPort: 80,
	};
	const fragments = compileAll(world);
	const library = await sampled(10, () => explain(buildNetwork(snapshotOfFragments(fragments)), question));
	const compiling = await sampled(3, () => explain(buildNetwork(snapshotOfFragments(compileAll(world))), question));

	await using nb = await startOvsdbServer({ schemaPath: nbSchemaPath });
	const io = { clock: systemClock, random: Math.random, log: silentLogger };
	const session = connect(io, { endpoint: nb.endpoint });
	await writeFragments(session, await compiledTables(session), fragments);
	await session.close();
	const api = await startTestApiServer();
	using client = createKubeClient(io, { kubeconfig: api.kubeconfig });
	await fillApi(client, size);
	const ask = async (target: string) => {
		const argv = [process.execPath, main, 'why', `pod/p0`, target, '--tcp', '80', '--kubeconfig', api.kubeconfig, '--nb', nb.endpoint];
		const { status, stdout, stderr } = await execute({ env: process.env }, { argv });
		if (status !== 1 || !stdout.includes('NetworkPolicy')) throw new Error(`not the answer that was to come:\n${stdout}${stderr}`);
	};
	const toPod = await sampled(10, () => ask(`pod/p${size - 1}`));
	const toService = await sampled(10, () => ask('svc/web'));
	await api.close();
	return [
		measurement(name('library, compiled rows at hand'), library),
		measurement(name('library, all rows compiled for it'), compiling),
		measurement(name('command, pod to pod'), toPod, { note: 'with the start of the program' }),
		measurement(name('command, pod to Service'), toService, { note: 'looks for the endpoint among all ports' }),
	];
}

/** Ports of one subnet; policies that select a hundredth each, of which one denies the last port everything. */
function networkOf(size: number): World {
	const world = defaultWorld(nodeCount);
	for (let index = 0; index < size; index++) world.set('IP', leaseOf(index).name, leaseOf(index));
	const set = new PolicySet(world);
	for (let index = 0; index < policies; index++) {
		const selector = { namespaces: 'default', pods: { matchLabels: { group: String(index) } } };
		const facts = {
			owner: `NetworkPolicy/default/np${index}`,
			subject: selectorKey(selector),
			isolates: ['ingress'],
			rules: [],
			priority: 0,
		} as const;
		set.set('NetworkPolicy', `default/np${index}`, { facts, selectors: [selector], portNames: [] });
	}
	world.set('Service', 'default/web', service('web', { clusterIps: ['10.96.0.9'], ports: [port(80)] }));
	world.set('EndpointSlice', 'default/web', slice('web', 4, [leaseOf(size - 1).v4 ?? ''], { ports: { '': 80 } }));
	return world;
}

function leaseOf(index: number): LeaseFacts {
	const number = index + 10;
	return numberedLease(number, `p${index}.default`, {
		node: `n${1 + (index % nodeCount)}`,
		v6: `fd00:10:16::${number.toString(16)}`,
		labels: { group: String(index % policies) },
	});
}

async function fillApi(client: KubeClient, size: number): Promise<void> {
	for (const definition of customResourceDefinitions()) await client.create(crds, definition as KubeObject);
	await client.create<KubeObject>(namespaces, { metadata: { name: 'default' } }).catch(() => {});
	for (let number = 1; number <= nodeCount; number++) await client.create<KubeObject>(nodes, { metadata: { name: `n${number}` } });
	const spec = { clusterIP: '10.96.0.9', ports: [{ port: 80 }] };
	await client.create(services, { metadata: { name: 'web', namespace: 'default' }, spec } as KubeObject);
	let next = 0;
	const worker = async () => {
		for (let index = next++; index < size; index = next++) await makePod(client, index);
	};
	await Promise.all(Array.from({ length: 16 }, worker));
}

async function makePod(client: KubeClient, index: number): Promise<void> {
	const { name, node, v4, v6, mac } = leaseOf(index);
	const spec = { nodeName: node, containers: [{ name: 'main', image: 'none' }] };
	const pod = await client.create(pods, { metadata: { name: `p${index}`, namespace: 'default' }, spec } as KubeObject);
	const metadata = {
		name,
		labels: { [labels.ownerUid]: pod.metadata.uid ?? '' },
		annotations: { [annotations.owner]: `Pod/default/p${index}` },
	};
	await client.create(ipResource, { metadata, spec: { v4IpAddress: v4, v6IpAddress: v6, macAddress: mac } } as KubeObject);
}
