import { type Pod, pods } from '@tapestry/kube';
import { annotations, type IpLease } from '@tapestry/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster, type TestController } from './testing/cluster.ts';

const podCount = 200;
const kills = 10;

let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
});
afterAll(() => cluster[Symbol.asyncDispose]());

it('gives each address once, leaks none and ends as compiled, killed ten times with a second controller beside it', async () => {
	let first = await cluster.startController('a');
	let second = await cluster.startController('b');
	const created = Promise.all(Array.from({ length: podCount }, (_, index) => cluster.addPod(`p${index}`)));
	for (let round = 0; round < kills; round++) {
		const goal = ((round + 1) * podCount) / (kills + 1);
		await cluster.until(`${goal} ports`, () => ports().length >= goal);
		// Alternately the one that leads and whichever took over.
		if (round % 2 === 0) first = await replaced(first, 'a');
		else second = await replaced(second, 'b');
	}
	await created;
	// Some of the pods go while others still come.
	const gone = Array.from({ length: podCount / 4 }, (_, index) => `p${index * 4}`);
	await Promise.all(gone.map((name) => cluster.client.remove(pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 })));
	first = await replaced(first, 'a');
	const staying = Array.from({ length: podCount }, (_, index) => `p${index}`).filter((name) => !gone.includes(name));
	const wanted = staying.map((name) => `${name}.default`).sort();
	await cluster.until(
		'every port that must be, and no other',
		() => namesOf(ports()) === wanted.join() && namesOf(leases().map(({ metadata }) => metadata)) === wanted.join(),
	);

	const addresses = leases().flatMap(({ spec }) => [spec.v4IpAddress, spec.v6IpAddress]);
	expect(new Set(addresses).size).toBe(addresses.length);
	expect(addresses.length).toBe(2 * staying.length);
	await cluster.until('the database is as compiled', () => cluster.differences().length === 0);
	await cluster.until('nothing is left to do', () => cluster.isWell());

	await Promise.all([first.kill('SIGKILL'), second.kill('SIGKILL')]);
	const writes = cluster.countWrites();
	await cluster.startController('a');
	await cluster.addPod('last');
	await cluster.until('a new pod is served', () => isAnnotated(cluster.pod('last')) && cluster.port('last.default') !== undefined);
	const switchRow = cluster.rows('Logical_Switch').find((row) => row.name === 'ovn-default');
	const due = [`Logical_Switch_Port ${cluster.port('last.default')?._uuid}`, `Logical_Switch ${switchRow?._uuid}`, 'Subnet ovn-default'];
	const others = writes.stop().filter((write) => !due.includes(write) && !/^(IP|Pod) .*last/.test(write));
	expect(others).toEqual([]);
}, 240_000);

function ports() {
	return cluster.rows('Logical_Switch_Port').filter((row) => /^p\d+\.default$/.test(String(row.name)));
}

function leases(): IpLease[] {
	return [...cluster.sources.ips.objects.values()].filter(({ metadata }) => metadata.name.endsWith('.default'));
}

function namesOf(list: readonly { readonly name?: unknown }[]): string {
	return list
		.map(({ name }) => String(name))
		.sort()
		.join();
}

function isAnnotated(pod: Pod | undefined): boolean {
	return pod?.metadata.annotations?.[annotations.routed] === 'true';
}

async function replaced(controller: TestController, id: string): Promise<TestController> {
	await controller.kill('SIGKILL');
	return cluster.startController(id);
}
