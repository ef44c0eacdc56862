import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import {
	createKubeClient,
	createReflector,
	type Event,
	events,
	findCondition,
	type KubeObject,
	leases,
	type Node,
	nodes,
	type Pod,
	type PodSpec,
	pods,
	type Resource,
} from '@tapestry/kube';
import { deleteNamespace } from '@tapestry/linux';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApiServer } from '../../../apiserver/src/testing/server.ts';
import { until as awaited, changesOf } from '../../../base/src/testing/until.ts';
import { podPlaces } from './places.ts';
import { podMarker } from './process/containers.ts';
import { podProcesses } from './process/strays.ts';
import { RecordStore } from './record.ts';
import { createFakePlugin } from './testing/fake-plugin.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'kubelet-'));
const state = join(directory, 'state');
const plugin = createFakePlugin(directory, 'fake');
const cleanup = new AsyncDisposableStack();
const deps = { clock: systemClock, random: Math.random, log: silentLogger };

/** The kubelet under test, as a process of its own. */
async function startKubelet(kubeconfig: string): Promise<ChildProcess> {
	const flags = [
		`--kubeconfig=${kubeconfig}`,
		'--node=node1',
		'--node-ip=172.30.0.1,fd00:172:30::1',
		`--state=${state}`,
		'--guest=/nonexistent',
	];
	const cni = [`--cni-bin-dir=${plugin.binDir}`, `--cni-conf-dir=${join(directory, 'net.d')}`];
	const child = spawn(process.execPath, [main, ...flags, ...cni, '--ready-fd=3'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
	const failed = once(child, 'exit').then(() => Promise.reject(new Error('the kubelet ended early')));
	failed.catch(() => {});
	await Promise.race([once(child.stdio[3] as NodeJS.ReadableStream, 'data'), failed]);
	return child;
}

async function killKubelet(child: ChildProcess): Promise<void> {
	const ended = once(child, 'exit');
	child.kill('SIGKILL');
	await ended;
}

describe('the kubelet', () => {
	let client: ReturnType<typeof createKubeClient>;
	let kubeconfig: string;
	let kubelet: ChildProcess;

	beforeAll(async () => {
		const server = cleanup.use(await startTestApiServer());
		({ kubeconfig } = server);
		client = cleanup.use(createKubeClient(deps, { kubeconfig }));
		mkdirSync(join(directory, 'net.d'));
		writeFileSync(join(directory, 'net.d', '01-fake.conf'), JSON.stringify({ cniVersion: '1.0.0', name: 'net', type: 'fake' }));
		kubelet = await startKubelet(kubeconfig);
		cleanup.defer(async () => {
			if (kubelet.exitCode === null && kubelet.signalCode === null) await killKubelet(kubelet);
			for (const { pid } of podProcesses(join(state, 'pods'))) spawnSync('kill', ['-KILL', String(pid)], { stdio: 'ignore' });
			// Of a failed test: pods of which the API knows nothing any more have a record.
			const records = new RecordStore(join(state, 'pods'));
			for (const { netns } of records.uids.flatMap((uid) => records.get(uid)?.sandbox ?? [])) deleteNamespace(netns);
			rmSync(directory, { recursive: true, force: true });
		});
	});

	afterAll(() => cleanup.disposeAsync());

	const create = (name: string, spec: Partial<PodSpec> = {}): Promise<Pod> =>
		client.create<Pod>(pods, {
			metadata: { name, namespace: 'default' },
			spec: { nodeName: 'node1', containers: [{ name: 'web', image: 'nginx' }], ...spec },
		});

	/** Resolves with what `find` finds in a live copy of a resource, as soon as it finds something. */
	async function found<T extends KubeObject, R>(resource: Resource, find: (objects: ReadonlyMap<string, T>) => R | undefined): Promise<R> {
		await using reflector = createReflector<T>({ ...deps, client }, { resource });
		await reflector.synced();
		const statuses = () => JSON.stringify([...reflector.objects.values()].map(({ status }) => status));
		return await awaited(
			() => `${find} of ${statuses()}`,
			changesOf(reflector),
			() => find(reflector.objects),
		);
	}

	const until = (name: string, condition: (pod: Pod) => boolean): Promise<Pod> =>
		found<Pod, Pod>(pods, (all) => {
			const pod = all.get(`default/${name}`);
			return pod && condition(pod) ? pod : undefined;
		});
	const isReady = (object: Pod | Node | undefined): boolean => findCondition(object?.status?.conditions, 'Ready')?.status === 'True';
	const restarted = (pod: Pod): boolean => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1;
	const running = (name: string): Promise<Pod> => until(name, isReady);
	const gone = (name: string) => found(pods, (all) => (all.has(`default/${name}`) ? undefined : true));
	/** Resolves when the kubelet has nothing more of a pod, which the API may have forgotten long ago. */
	const forgotten = (pod: Pod): Promise<true> =>
		awaited(
			`the end of ${pod.metadata.name} on its node`,
			(listener) => {
				const watcher = watch(join(state, 'pods'), listener);
				return () => watcher.close();
			},
			() => !existsSync(podPlaces(state, pod).directory),
		);
	const netnsOf = (pod: Pod): string => podPlaces(state, pod).netns;
	const remove = (name: string, gracePeriodSeconds = 30) => client.remove(pods, { name, namespace: 'default' }, { gracePeriodSeconds });
	/** Asks the pod's responder over its own loopback; it may need a moment from its start to its listening. */
	const page = (pod: Pod, url: string): string => {
		const ask = ['busybox', 'sh', '-c', 'until curl --silent "$1"; do :; done', 'sh', url];
		return execFileSync('nsenter', [`--net=${netnsOf(pod)}`, ...ask], { encoding: 'utf8', timeout: 20_000 });
	};
	const holderOf = (pod: Pod): number =>
		JSON.parse(readFileSync(join(podPlaces(state, pod).directory, 'pod.json'), 'utf8')).containers.web.pid as number;
	const callsFor = (pod: Pod): readonly string[] =>
		plugin.calls().flatMap(({ command, args }) => (args.includes(`K8S_POD_UID=${pod.metadata.uid}`) ? [command] : []));
	const processesOf = (pod: Pod) => podProcesses(join(state, 'pods')).filter((one) => one.pod === podPlaces(state, pod).directory);
	/** All were sent SIGKILL; the kernel tells only their parent when they are gone. */
	const allEnded = (pod: Pod): Promise<void> => expect.poll(() => processesOf(pod), { timeout: 60_000 }).toEqual([]);

	const eventOf = (pod: Pod, reason: string): Promise<Event> =>
		found<Event, Event>(events, (all) =>
			[...all.values()].find((event) => event.involvedObject.uid === pod.metadata.uid && event.reason === reason),
		);

	it('registers its node, ready and with a lease', async () => {
		const node = await client.get<Node>(nodes, { name: 'node1' });
		expect(node.metadata.labels?.['kubernetes.io/hostname']).toBe('node1');
		expect(node.status?.addresses).toContainEqual({ type: 'InternalIP', address: 'fd00:172:30::1' });
		expect(findCondition(node.status?.conditions, 'Ready')?.status).toBe('True');
		const lease = await client.get(leases, { name: 'node1', namespace: 'kube-node-lease' });
		expect(lease.spec).toMatchObject({ holderIdentity: 'node1', leaseDurationSeconds: 40 });
	});

	it('says that its node is ready again when somebody doubts it', async () => {
		const doubt = { status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] } };
		const options = { subresource: 'status' };
		await client.patch(nodes, { name: 'node1' }, 'application/strategic-merge-patch+json', doubt, options);
		await found<Node, Node>(nodes, (all) => [...all.values()].find(isReady));
	});

	it('runs a pod: namespace, network, a page on the declared ports in both families', async () => {
		await create('web', { containers: [{ name: 'web', image: 'nginx', ports: [{ containerPort: 80 }, { containerPort: 8080 }] }] });
		const pod = await running('web');
		expect(pod.status).toMatchObject({ phase: 'Running', hostIP: '172.30.0.1', podIP: expect.stringMatching(/^10\.1\.0\./) });
		expect(pod.status?.podIPs).toHaveLength(2);
		expect(page(pod, 'http://127.0.0.1/')).toBe('pod default/web on node1\n');
		expect(page(pod, 'http://[::1]:8080/')).toBe('pod default/web on node1\n');
		expect(await eventOf(pod, 'ImageNotRun')).toMatchObject({ type: 'Normal', count: 1 });
	});

	it('ends a deleted pod and leaves nothing of it', async () => {
		const pod = await running('web');
		await remove('web');
		await gone('web');
		expect(callsFor(pod)).toEqual(['ADD', 'DEL']);
		expect(existsSync(netnsOf(pod))).toBe(false);
		expect(existsSync(podPlaces(state, pod).directory)).toBe(false);
		await allEnded(pod);
	});

	it('repeats a sandbox that failed, from the start', async () => {
		plugin.failNext({ code: 11, msg: 'try again later' }, 2);
		await create('later');
		const pod = await running('later');
		expect(callsFor(pod)).toEqual(['ADD', 'DEL', 'ADD', 'DEL', 'ADD']);
		const event = await eventOf(pod, 'FailedCreatePodSandBox');
		expect(event.message).toContain('try again later');
		await remove('later', 0);
	});

	it('starts a container again that has ended', async () => {
		await create('crash');
		const before = await running('crash');
		process.kill(holderOf(before), 'SIGTERM');
		const after = await until('crash', restarted);
		expect(page(after, 'http://127.0.0.1/')).toBe('pod default/crash on node1\n');
		expect(callsFor(after)).toEqual(['ADD']);
		await remove('crash', 0);
	});

	it('lets a pod fail that is not to be restarted, and frees its network', async () => {
		await create('once', { restartPolicy: 'Never' });
		const before = await running('once');
		process.kill(holderOf(before), 'SIGKILL');
		const after = await until('once', (pod) => pod.status?.phase === 'Failed');
		expect(after.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(137);
		expect(after.status?.podIP).toBe(before.status?.podIP);
		await remove('once');
		await gone('once');
		expect(callsFor(after)).toEqual(['ADD', 'DEL']);
		await allEnded(after);
	});

	it('refuses a pod in the network of the node', async () => {
		await create('host', { hostNetwork: true });
		const pod = await until('host', (one) => one.status?.phase === 'Failed');
		expect(pod.status).toMatchObject({ reason: 'HostNetwork', message: expect.stringContaining('leave hostNetwork out') });
		expect(callsFor(pod)).toEqual([]);
		await remove('host', 0);
	});

	it('takes over after a kill: what runs is left alone, what went meanwhile is cleared up', async () => {
		await Promise.all(['stays', 'leaves', 'dies'].map((name) => create(name)));
		const [stays, leaves, dies] = (await Promise.all(['stays', 'leaves', 'dies'].map(running))) as [Pod, Pod, Pod];
		const holder = holderOf(stays);
		await killKubelet(kubelet);
		expect(page(stays, 'http://127.0.0.1/')).toBe('pod default/stays on node1\n');
		// A force deletion: the API forgets the pod at once, only the record knows of it.
		await remove('leaves', 0);
		process.kill(-holderOf(dies), 'SIGKILL');
		// What a kubelet leaves that is killed between the start of a container and its record.
		const stray = spawn('sleep', ['infinity'], { detached: true, env: { ...process.env, [podMarker]: podPlaces(state, stays).directory } });
		const strayEnded = once(stray, 'exit');
		kubelet = await startKubelet(kubeconfig);
		expect(await strayEnded).toEqual([null, 'SIGKILL']);
		const again = await until('dies', restarted);
		expect(again.status?.podIP).toBe(dies.status?.podIP);
		expect(holderOf(stays)).toBe(holder);
		expect(callsFor(stays)).toEqual(['ADD']);
		// An adopted container's end is seen like any other.
		process.kill(holder, 'SIGKILL');
		await until('stays', restarted);
		await remove('stays', 0);
		await forgotten(leaves);
		expect(callsFor(leaves)).toEqual(['ADD', 'DEL']);
		expect(existsSync(netnsOf(leaves))).toBe(false);
		await allEnded(leaves);
		await remove('dies', 0);
	});

	it('runs 20 pods at once', async () => {
		const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
		await Promise.all(names.map((name) => create(name)));
		const all = await Promise.all(names.map(running));
		expect(new Set(all.map((pod) => pod.status?.podIP)).size).toBe(20);
		await Promise.all(names.map((name) => remove(name)));
		await Promise.all(names.map(gone));
		expect(all.filter((pod) => existsSync(netnsOf(pod)))).toEqual([]);
	});
});
