import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Container, Pod } from '@tapestry/kube';
import { isLauncher, labels } from '@tapestry/network';
import { readyDescriptor } from './process/containers.ts';

export interface WorkloadOptions {
	/** Program and first arguments that start the launcher of virtual machines; the machine's own flags are added. */
	readonly launcher: readonly string[];
	/** The pod's directory. */
	readonly directory: string;
}

const responder = fileURLToPath(new URL('./process/responder.sh', import.meta.url));
/** What a pod answers on when it declares no port. */
const defaultPort = 80;

/** Where a pod's page lies; see `podPage`. */
export function pageDirectory(directory: string): string {
	return join(directory, 'www');
}

/** What a pod answers over HTTP. */
export function podPage(pod: Pod, node: string): string {
	return `pod ${pod.metadata.namespace}/${pod.metadata.name} on ${node}\n`;
}

/** The command that stands for a container. */
export function containerCommand(pod: Pod, container: Container, options: WorkloadOptions): readonly string[] {
	const { launcher, directory } = options;
	const { name, namespace = 'default' } = pod.metadata;
	if (isLauncher(pod)) {
		const flags = [`--namespace=${namespace}`, `--vmi=${machineName(pod)}`, `--pod=${name}`, `--state=${directory}`];
		const host = pod.spec?.hostNetwork ? ['--host-network'] : [];
		return [...launcher, ...flags, ...host, `--ready-fd=${readyDescriptor}`];
	}
	return ['busybox', 'sh', responder, pageDirectory(directory), ...portsOf(pod, container).map(String)];
}

/** The TCP ports that a container declares; a pod that declares none answers on port 80. */
function portsOf(pod: Pod, container: Container): readonly number[] {
	const tcp = (one: Container): readonly number[] =>
		(one.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort);
	const containers = pod.spec?.containers ?? [];
	const undeclared = containers.every((one) => tcp(one).length === 0);
	return undeclared && container === containers[0] ? [defaultPort] : tcp(container);
}

function machineName(pod: Pod): string {
	const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'VirtualMachineInstance');
	return owner?.name ?? pod.metadata.labels?.[labels.kubevirtVmName] ?? '';
}
