import { join } from 'node:path';
import { type CommandResult, execute, kubectl, type LabLayout, labLayout, run } from '@tapestry/lab';
import { inject } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
export const deps = { env: process.env };

/** The lab that all e2e files share; global-setup boots it. */
export function sharedLab(): LabLayout {
	return labLayout(inject('lab'));
}

/** The command line as a user gives it, without npm. */
export function tapestry(args: readonly string[], options: { readonly timeoutMs?: number } = {}): Promise<CommandResult> {
	return execute(deps, { argv: [process.execPath, join(root, 'packages/cli/src/main.ts'), ...args], timeoutMs: 120_000, ...options });
}

/** kubectl against the shared lab; fails with kubectl's words. */
export function kube(...args: readonly string[]): Promise<string> {
	return kubectl(deps, sharedLab(), args, { timeoutMs: 120_000 });
}

export async function kubeJson<T>(...args: readonly string[]): Promise<T> {
	return JSON.parse(await kube(...args, '-o', 'json')) as T;
}

/** Applies a file of examples/. */
export function applyExample(file: string): Promise<string> {
	return kube('apply', '-f', join(root, 'examples', file));
}

export function deleteExample(file: string): Promise<string> {
	return kube('delete', '--ignore-not-found', '--wait', '-f', join(root, 'examples', file));
}

/** Runs a command in a pod, VM or node of the shared lab. */
export function inWorkload(namespace: string, workload: string, ...command: readonly string[]): Promise<CommandResult> {
	return tapestry(['lab', 'exec', '--name', sharedLab().id, '-n', namespace, workload, '--', ...command]);
}

/** True when the workload gets an answer from the address. */
export async function pings(namespace: string, workload: string, address: string): Promise<boolean> {
	const family = address.includes(':') ? ['-6'] : [];
	const { status } = await inWorkload(namespace, workload, 'ping', ...family, '-c', '2', '-i', '0.2', '-W', '2', address);
	return status === 0;
}

/** `ovn-nbctl` against the shared lab's Northbound database. */
export function nbctl(...args: readonly string[]): Promise<string> {
	return run(deps, ['ovn-nbctl', `--db=unix:${join(sharedLab().central, 'nb.sock')}`, ...args]);
}

export interface PodStatus {
	readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
	readonly status: { readonly phase: string; readonly podIP: string; readonly podIPs: readonly { readonly ip: string }[] };
}

export function waitReady(namespace: string, ...objects: readonly string[]): Promise<string> {
	return kube('wait', '-n', namespace, '--for=condition=Ready', '--timeout=90s', ...objects);
}

/** Waits until the guest of a machine that runs has all its addresses: one family comes before the other. */
export async function guestHasAddresses(namespace: string, name: string): Promise<void> {
	const vmi = await kubeJson<{ status: { interfaces: { ipAddresses: string[] }[] } }>('get', 'vmi', '-n', namespace, name);
	const waits = (vmi.status.interfaces[0]?.ipAddresses ?? []).map(
		(address) => `until ip -o addr show dev eth0 | grep -qF ' ${address}/'; do sleep 0.2; done`,
	);
	const { status, stderr } = await inWorkload(namespace, `vm/${name}`, 'sh', '-c', ['true', ...waits].join('; '));
	if (status !== 0) throw new Error(`the guest of ${namespace}/${name} has no addresses: ${stderr}`);
}

/** Applies YAML given as text. */
export function applyYaml(text: string): Promise<string> {
	return kubectl(deps, sharedLab(), ['apply', '-f', '-'], { input: text, timeoutMs: 60_000 });
}

export function deleteYaml(text: string): Promise<string> {
	return kubectl(deps, sharedLab(), ['delete', '--ignore-not-found', '--wait', '-f', '-'], { input: text, timeoutMs: 120_000 });
}
