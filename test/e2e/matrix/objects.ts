import { kubectl } from '@tapestry/lab';
import { parseAllDocuments } from 'yaml';
import { deps, guestHasAddresses, kube, sharedLab } from '../harness/lab.ts';

/** As written; the other way round; or mixed, the same in each run. */
export type Order = 'forward' | 'reverse' | 'mixed';

export interface Manifest {
	readonly kind: string;
	readonly metadata: { readonly name: string; readonly namespace?: string };
}

export function documentsOf(yaml: string): readonly Manifest[] {
	return parseAllDocuments(yaml).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

/** Waits for the pods and virtual machines among the objects; a machine is ready when its guest has its addresses. */
export async function waitReady(yaml: string): Promise<void> {
	const all = documentsOf(yaml);
	const waits = (['Pod', 'VirtualMachine', 'VirtualMachineInstance'] as const).flatMap((kind) => {
		const namespaces = Map.groupBy(
			all.filter((object) => object.kind === kind),
			({ metadata }) => metadata.namespace ?? 'default',
		);
		return [...namespaces].map(([namespace, objects]) => {
			const names = objects.map(({ metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
			return kube('wait', '-n', namespace, '--for=condition=Ready', '--timeout=100s', ...names);
		});
	});
	await Promise.all(waits);
	const guests = all.filter(({ kind }) => kind.startsWith('VirtualMachine'));
	await Promise.all(guests.map(({ metadata }) => guestHasAddresses(metadata.namespace ?? 'default', metadata.name)));
}

/** Deletes the objects, asking for one after another and then waiting for all. */
export async function remove(yaml: string, order: Order): Promise<void> {
	const objects = inOrder(documentsOf(yaml), order);
	const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
	await kubectl(deps, sharedLab(), ['delete', '--ignore-not-found', '--wait', '-f', '-'], { input, timeoutMs: 120_000 });
}

function inOrder<T>(items: readonly T[], order: Order): readonly T[] {
	if (order === 'forward') return items;
	if (order === 'reverse') return items.toReversed();
	return [...items.filter((_, i) => i % 2 === 1), ...items.filter((_, i) => i % 2 === 0).toReversed()];
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): string {
	return document({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

export interface WorkloadOptions {
	readonly namespace: string;
	readonly node?: string;
	readonly labels?: Readonly<Record<string, string>>;
	readonly annotations?: Readonly<Record<string, string>>;
}

const nodeSelector = (node: string | undefined) => (node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } });

export interface PodOptions extends WorkloadOptions {
	/** TCP ports at which the pod's own page is; named ones as `name: number`. */
	readonly ports?: Readonly<Record<string, number>>;
}

export function pod(name: string, options: PodOptions): string {
	const { namespace: ns, node, labels = {}, annotations = {}, ports = {} } = options;
	const containers = [
		{ name: 'main', image: 'nginx:alpine', ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort })) },
	];
	const metadata = { name, namespace: ns, labels, annotations };
	return document({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...nodeSelector(node), containers } });
}

export function vm(name: string, { namespace: ns, node, labels = {}, annotations = {} }: WorkloadOptions): string {
	const spec = {
		...nodeSelector(node),
		domain: { memory: { guest: '256Mi' }, devices: { interfaces: [{ name: 'default', binding: { name: 'tapestry' } }] } },
		networks: [{ name: 'default', pod: {} }],
	};
	return document({
		apiVersion: 'kubevirt.io/v1',
		kind: 'VirtualMachine',
		metadata: { name, namespace: ns },
		spec: { running: true, template: { metadata: { labels, annotations }, spec } },
	});
}

/** Any object as a YAML document; JSON is YAML. */
export function document(object: object): string {
	return `---\n${JSON.stringify(object)}\n`;
}

export function vpc(name: string, spec: object): string {
	return document({ apiVersion: 'kubeovn.io/v1', kind: 'Vpc', metadata: { name }, spec });
}

export function subnet(name: string, spec: object): string {
	return document({ apiVersion: 'kubeovn.io/v1', kind: 'Subnet', metadata: { name }, spec });
}
