import { CodedError, isCoded, parseIp } from '@tapestry/base';
import {
	type Condition,
	type KubeClient,
	type KubeObject,
	type ObjectName,
	type Pod,
	pods,
	type Resource,
	type Service,
	services,
} from '@tapestry/kube';
import {
	annotations,
	type IpLease,
	ipResource,
	labels,
	nodePortName,
	type Observed,
	type Sender,
	type Target,
	virtualMachineInstanceResource,
	virtualMachineResource,
} from '@tapestry/network';

/** What the user named: `pod/a`, `vm/shop/b`, `svc/web`, `node/n1`, or an address. */
export interface SubjectName {
	readonly kind: 'pod' | 'vm' | 'svc' | 'node' | 'address';
	readonly namespace: string;
	readonly name: string;
}

/** @throws WHY_SUBJECT */
export function parseSubject(text: string, namespace: string): SubjectName {
	if (parseIp(text)) return { kind: 'address', namespace: '', name: text };
	const [, kind, own, name] = /^(pod|vm|svc|node)\/(?:([a-z0-9][-a-z0-9]*)\/)?([a-z0-9][-a-z0-9.]*)$/.exec(text) ?? [];
	if (kind && name && !(kind === 'node' && own)) return { kind: kind as SubjectName['kind'], namespace: own ?? namespace, name };
	throw new CodedError('WHY_SUBJECT', {
		what: `"${text}" names nothing that can be asked about`,
		fix: 'write pod/NAME, vm/NAME, svc/NAME (or pod/NAMESPACE/NAME), node/NAME or an address',
	});
}

/** A workload with its port, or why it has none. */
interface Workload {
	readonly object: string;
	readonly port: string;
	readonly waiting: string | undefined;
	readonly isPastSwitch: boolean;
}

/** The workload, its lease's name and its own word on the network. @throws WHY_NOT_FOUND */
async function findWorkload(client: KubeClient, { kind, namespace, name }: SubjectName, signal: AbortSignal): Promise<Workload> {
	const choices: readonly (readonly [string, Resource])[] =
		kind === 'pod'
			? [['Pod', pods]]
			: [
					['VirtualMachine', virtualMachineResource],
					['VirtualMachineInstance', virtualMachineInstanceResource],
				];
	for (const [owner, resource] of choices) {
		const object = await getOptional<Pod>(client, resource, { namespace, name }, signal);
		if (!object) continue;
		const id = `${owner}/${namespace}/${name}`;
		const lease = await findLease(client, id, object, signal);
		return {
			object: id,
			port: lease?.metadata.name ?? `${name}.${namespace}`,
			waiting: lease ? undefined : waitingFor(object),
			// The controller carries the rules of such a port on the lease.
			isPastSwitch: lease?.metadata.annotations?.[annotations.deviceRules] !== undefined,
		};
	}
	throw notFound(kind, name, namespace);
}

/** The lease has the workload's name, unless another owner was quicker or the name is too long; then its label leads to it. */
async function findLease(client: KubeClient, owner: string, { metadata }: KubeObject, signal: AbortSignal): Promise<IpLease | undefined> {
	const isOwn = (lease: IpLease | undefined) => lease?.metadata.annotations?.[annotations.owner] === owner;
	const plain = `${metadata.name}.${metadata.namespace}`;
	const lease = await getOptional<IpLease>(client, ipResource, { name: plain }, signal);
	if (isOwn(lease)) return lease;
	const { items } = await client.list<IpLease>(ipResource, { labelSelector: `${labels.ownerUid}=${metadata.uid}`, signal });
	return items.find(isOwn);
}

function waitingFor({ status }: Pod): string {
	const conditions: readonly Condition[] = (status?.conditions ?? []) as readonly Condition[];
	const word = conditions.find(({ type, status: state }) => type === 'tapestry.io/NetworkReady' && state !== 'True');
	const unplaced = conditions.find(({ type, status: state }) => type === 'PodScheduled' && state === 'False');
	return word?.message ?? unplaced?.message ?? 'nothing has given it one';
}

export interface FoundSender extends Pick<Observed, 'waiting' | 'pastSwitch'> {
	readonly from: Sender;
}

/** @throws WHY_SUBJECT, WHY_NOT_FOUND */
export async function findSender(client: KubeClient, subject: SubjectName, signal: AbortSignal): Promise<FoundSender> {
	if (subject.kind === 'node') return { from: { object: `Node/${subject.name}`, port: nodePortName(subject.name) }, ...nothingOf };
	if (subject.kind !== 'pod' && subject.kind !== 'vm') {
		throw new CodedError('WHY_SUBJECT', { what: `${subject.kind} sends nothing`, fix: 'begin with pod/NAME, vm/NAME or node/NAME' });
	}
	const workload = await findWorkload(client, subject, signal);
	return { from: { object: workload.object, port: workload.port }, ...observedOf(workload) };
}

export interface FoundTarget extends Pick<Observed, 'waiting' | 'pastSwitch'> {
	/** One for each family that it has an address of, IPv4 first; a workload is one for both. */
	readonly targets: readonly Target[];
	/** The first port of a Service. */
	readonly service: { readonly protocol: 'tcp' | 'udp' | 'sctp'; readonly port: number } | undefined;
}

/** @throws WHY_NOT_FOUND, WHY_HEADLESS */
export async function findTarget(
	client: KubeClient,
	subject: SubjectName,
	nodes: Observed['nodes'],
	signal: AbortSignal,
): Promise<FoundTarget> {
	const { kind, name, namespace } = subject;
	const none = { ...nothingOf, service: undefined };
	switch (kind) {
		case 'address':
			return { targets: addresses(undefined, [name]), ...none };
		case 'node': {
			const node = nodes.get(name);
			if (!node) throw notFound(kind, name, '');
			return { targets: node.addresses.map((address) => ({ kind: 'node', object: `Node/${name}`, address })), ...none };
		}
		case 'svc': {
			const service = await getOptional<Service>(client, services, { namespace, name }, signal);
			if (!service) throw notFound(kind, name, namespace);
			const { clusterIP, clusterIPs = [clusterIP ?? 'None'], ports = [] } = service.spec ?? {};
			const targets = addresses(`Service/${namespace}/${name}`, clusterIPs);
			if (targets.length === 0) {
				throw new CodedError('WHY_HEADLESS', { what: `Service ${namespace}/${name} has no address`, fix: 'ask about one of its pods' });
			}
			const [first] = ports;
			const protocol = (first?.protocol ?? 'TCP').toLowerCase() as 'tcp' | 'udp' | 'sctp';
			return { targets, ...nothingOf, service: first && { protocol, port: first.port } };
		}
		default: {
			const workload = await findWorkload(client, subject, signal);
			const { object, port } = workload;
			return { targets: [{ kind: 'workload', object, port }], ...observedOf(workload), service: undefined };
		}
	}
}

function addresses(object: string | undefined, texts: readonly string[]): readonly Target[] {
	return texts.flatMap((text) => {
		const address = parseIp(text);
		return address ? [{ kind: 'address', object, address } as const] : [];
	});
}

const nothingOf: Pick<Observed, 'waiting' | 'pastSwitch'> = { waiting: new Map(), pastSwitch: new Set() };

function observedOf({ object, port, waiting, isPastSwitch }: Workload): Pick<Observed, 'waiting' | 'pastSwitch'> {
	return { waiting: new Map(waiting === undefined ? [] : [[object, waiting]]), pastSwitch: new Set(isPastSwitch ? [port] : []) };
}

async function getOptional<T extends KubeObject>(
	client: KubeClient,
	resource: Resource,
	name: ObjectName,
	signal: AbortSignal,
): Promise<T | undefined> {
	try {
		return await client.get<T>(resource, name, { signal });
	} catch (error) {
		if (isCoded(error, 'KUBE_NOT_FOUND')) return undefined;
		throw error;
	}
}

function notFound(kind: string, name: string, namespace: string): CodedError {
	const where = namespace === '' ? '' : ` in namespace ${namespace}`;
	return new CodedError('WHY_NOT_FOUND', { what: `there is no ${kind} ${name}${where}`, fix: 'name another namespace with -n' });
}
