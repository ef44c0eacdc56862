import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import {
	captureInWorkload,
	entrance,
	execute,
	findWorkload,
	kubectl,
	type LabLayout,
	labClient,
	labLayout,
	removeLab,
	type Workload,
} from '@tapestry/lab';
import { type AttachmentModeName, annotations } from '@tapestry/network';
import { guestServers, ports, startEchoes } from './echo.ts';
import { startProber } from './prober.ts';
import { measureRounds, type RoundOptions, type Target } from './rounds.ts';
import type { Comparison } from './series.ts';

const deps = { env: process.env };
export const namespace = 'bench';
const cli = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');
/** KubeVirt's own fields; other modes are asked for by annotation. */
const ownFields: readonly string[] = ['bridge', 'masquerade', 'macvtap', 'passt', 'slirp'];
/** Their UDP leaves from a port of their own choice, and the guest's echo keeps to one peer. */
const changesPorts: readonly string[] = ['passt', 'slirp'];
const minutes = 60_000;

/** A lab of two nodes for as long as `work` runs. */
export async function withLab<T>(work: (layout: LabLayout) => Promise<T>): Promise<T> {
	const layout = labLayout(`b${randomInt(36 ** 4).toString(36)}`);
	try {
		const { status, stderr } = await execute(deps, {
			argv: [process.execPath, cli, 'lab', 'up', '--name', layout.id, '--nodes', '2'],
			timeoutMs: 5 * minutes,
		});
		if (status !== 0) throw new Error(`the lab did not come up: ${stderr}`);
		await apply(layout, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, pod('client', 'n1')]);
		await ready(layout, 'pods');
		return await work(layout);
	} finally {
		await removeLab(deps, layout);
	}
}

/** Pods of one node and of two, and the nodes themselves, as in 003's qperf table. */
export async function podRun(layout: LabLayout, options: RoundOptions): Promise<Comparison> {
	await using cleanup = new AsyncDisposableStack();
	await apply(layout, [pod('near', 'n1'), pod('far', 'n2')]);
	await ready(layout, 'pods');
	const client = await addressOf(layout, podNamed('client'));
	const prober = cleanup.use(startProber(await entrance(layout, podNamed('client'))));
	const node = (name: string): Workload => ({ kind: 'node', name, namespace });
	const nodes = cleanup.use(startProber(await entrance(layout, node('n1'))));
	const [nodeOne, nodeTwo] = [await nodeAddress(layout, 'n1'), await nodeAddress(layout, 'n2')];
	const answers = { tcp: ports.tcp, udp: { port: ports.udp, sourcePort: ports.client }, sink: ports.sink };
	const targets: Target[] = [];
	for (const [subject, name] of [
		['same node', 'near'],
		['other node', 'far'],
	] as const) {
		const address = await addressOf(layout, podNamed(name));
		cleanup.use(await startEchoes(await entrance(layout, podNamed(name)), address, client));
		targets.push({ subject, prober, address, ...answers });
	}
	cleanup.use(await startEchoes(await entrance(layout, node('n2')), nodeTwo, nodeOne));
	targets.push({ subject: 'node to node', prober: nodes, address: nodeTwo, ...answers });
	return {
		name: 'pods',
		title: 'Pods',
		note: 'Pod to pod on one node, on another by Geneve, and between the nodes’ own stacks over a veth and a bridge.',
		baseline: 'same node',
		subjects: targets.map(({ subject }) => ({ name: subject })),
		series: await measureRounds(targets, options),
	};
}

/** A pod and one real machine for each mode, all on one node. */
export async function machineRun(layout: LabLayout, modes: readonly AttachmentModeName[], options: RoundOptions): Promise<Comparison> {
	await using cleanup = new AsyncDisposableStack();
	await apply(layout, modes.map(machine));
	await ready(layout, 'virtualmachines');
	const prober = cleanup.use(startProber(await entrance(layout, podNamed('client'))));
	const targets: Target[] = [];
	for (const mode of modes) {
		const vm: Workload = { kind: 'vm', name: mode, namespace };
		await serveInGuest(layout, vm);
		const udp = changesPorts.includes(mode) ? {} : { udp: { port: ports.udp, sourcePort: ports.client } };
		targets.push({ subject: mode, prober, address: await leaseOf(layout, mode), tcp: ports.tcp, sink: ports.sink, ...udp });
	}
	return {
		name: 'machines',
		title: 'Machines',
		note: 'From a pod to a QEMU guest on the same node. Under emulation the guest’s own work hides differences below 8 KiB.',
		baseline: modes.includes('tap' as AttachmentModeName) ? 'tap' : (modes[0] ?? ''),
		subjects: modes.map((mode) => ({ name: mode })),
		series: await measureRounds(targets, options),
	};
}

async function serveInGuest(layout: LabLayout, vm: Workload): Promise<void> {
	const { status, stdout } = await captureInWorkload(deps, layout, vm, ['sh', '-c', guestServers], AbortSignal.timeout(minutes));
	if (status !== 0) throw new Error(`the guest of ${vm.name} does not serve: ${stdout}`);
}

const podNamed = (name: string): Workload => ({ kind: 'pod', name, namespace });

async function addressOf(layout: LabLayout, workload: Workload): Promise<string> {
	using client = labClient(layout);
	return (await findWorkload(client, workload)).addresses[0] ?? '';
}

/** A machine's own address, whatever its launcher has. */
async function leaseOf(layout: LabLayout, name: string): Promise<string> {
	return (await kubectl(deps, layout, ['get', 'ip', `${name}.${namespace}`, '-o', 'jsonpath={.spec.v4IpAddress}'])).trim();
}

async function nodeAddress(layout: LabLayout, name: string): Promise<string> {
	const path = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
	return (await kubectl(deps, layout, ['get', 'node', name, '-o', path])).trim().split(' ')[0] ?? '';
}

function apply(layout: LabLayout, objects: readonly object[]): Promise<string> {
	return kubectl(deps, layout, ['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
}

function ready(layout: LabLayout, kind: string): Promise<string> {
	const wait = ['wait', '-n', namespace, '--for=condition=Ready', '--timeout=240s', kind, '--all'];
	return kubectl(deps, layout, wait, { timeoutMs: 5 * minutes });
}

function pod(name: string, node: string): object {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, namespace },
		spec: { nodeSelector: { 'kubernetes.io/hostname': node }, containers: [{ name: 'main', image: 'nginx:alpine' }] },
	};
}

function machine(mode: AttachmentModeName): object {
	const isField = ownFields.includes(mode);
	const open = [
		{ port: ports.tcp, protocol: 'TCP' },
		{ port: ports.sink, protocol: 'TCP' },
		{ port: ports.udp, protocol: 'UDP' },
	];
	const nic = { name: 'default', ...(isField ? { [mode]: {}, ports: open } : { binding: { name: 'tapestry' } }) };
	return {
		apiVersion: 'kubevirt.io/v1',
		kind: 'VirtualMachine',
		metadata: { name: mode, namespace },
		spec: {
			runStrategy: 'Always',
			template: {
				metadata: isField ? {} : { annotations: { [annotations.attachmentMode]: mode } },
				spec: {
					nodeSelector: { 'kubernetes.io/hostname': 'n1' },
					domain: { memory: { guest: '256Mi' }, devices: { interfaces: [nic] } },
					networks: [{ name: 'default', pod: {} }],
				},
			},
		},
	};
}
