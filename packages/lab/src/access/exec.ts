import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CodedError } from '@tapestry/base';
import { podPlaces } from '../kubelet/places.ts';
import { vmFiles } from '../launcher/files.ts';
import { guestConsole } from '../launcher/guest-console.ts';
import { guestExec } from '../launcher/guest-exec.ts';
import type { LabLayout } from '../layout.ts';
import { enterNode } from '../nodes/mounts.ts';
import { labNodes } from '../nodes/node.ts';
import { type CommandResult, execute, type ProcessDeps } from '../process.ts';
import { labClient } from '../up/kinds.ts';
import { readSpec } from '../up/up.ts';
import type { Workload } from './workload.ts';
import { findWorkload } from './workloads.ts';

/** Runs a command where the workload is, with our standard streams; resolves with its status. A guest's command gets no input. */
export async function execInWorkload(
	deps: ProcessDeps,
	layout: LabLayout,
	workload: Workload,
	command: readonly string[],
	signal: AbortSignal,
): Promise<number> {
	if (workload.kind === 'vm') {
		const socket = (await guestFiles(layout, workload)).execSocket;
		return guestExec(socket, command, { output: (chunk) => process.stdout.write(chunk), signal });
	}
	const [program = '', ...args] = [...(await entrance(layout, workload)), ...command];
	signal.throwIfAborted();
	const child = spawn(program, args, { env: deps.env, stdio: 'inherit', signal });
	const [status] = (await once(child, 'exit')) as [number | null];
	return status ?? 1;
}

/** The same, with the output caught. */
export async function captureInWorkload(
	deps: ProcessDeps,
	layout: LabLayout,
	workload: Workload,
	command: readonly string[],
	signal: AbortSignal,
): Promise<CommandResult> {
	if (workload.kind !== 'vm') {
		return execute(deps, { argv: [...(await entrance(layout, workload)), ...command], signal, timeoutMs: 300_000 });
	}
	const chunks: Uint8Array[] = [];
	const socket = (await guestFiles(layout, workload)).execSocket;
	const status = await guestExec(socket, command, { output: (chunk) => chunks.push(chunk), signal });
	return { status, stdout: Buffer.concat(chunks).toString(), stderr: '' };
}

/** Joins the terminal to a virtual machine's serial console. @throws WORKLOAD_NAME when it is not a virtual machine */
export async function openConsole(layout: LabLayout, workload: Workload, signal: AbortSignal): Promise<void> {
	if (workload.kind !== 'vm') {
		throw new CodedError('WORKLOAD_NAME', { what: `a ${workload.kind} has no console`, fix: 'name a virtual machine: vm/NAME' });
	}
	const { consoleSocket } = await guestFiles(layout, workload);
	await guestConsole(consoleSocket, { input: process.stdin, output: process.stdout }, signal);
}

/** What goes before a command to run it in the pod's network, or on the node. @throws LAB_NOT_UP, WORKLOAD_NOT_FOUND, WORKLOAD_NOT_RUNNING */
export async function entrance(layout: LabLayout, workload: Workload): Promise<readonly string[]> {
	const spec = readSpec(layout);
	if (!spec) throw notUp(layout);
	if (workload.kind === 'node') {
		if (labNodes(spec.nodes).some(({ name }) => name === workload.name)) return enterNode(layout, workload.name);
		throw new CodedError('WORKLOAD_NOT_FOUND', { what: `lab ${layout.id} has no node ${workload.name}`, fix: 'see `kubectl get nodes`' });
	}
	using client = labClient(layout);
	const { node, pod } = await findWorkload(client, workload);
	const { netns } = podPlaces(layout.node(node).kubeletState, pod);
	return [...enterNode(layout, node), 'nsenter', `--net=${netns}`, '--'];
}

async function guestFiles(layout: LabLayout, workload: Workload) {
	if (!readSpec(layout)) throw notUp(layout);
	using client = labClient(layout);
	const { node, pod } = await findWorkload(client, workload);
	return vmFiles(podPlaces(layout.node(node).kubeletState, pod).directory);
}

function notUp(layout: LabLayout): CodedError {
	return new CodedError('LAB_NOT_UP', { what: `lab ${layout.id} is not up`, fix: 'bring it up: npm run lab -- up' });
}
