import { type Clock, type Family, formatIpRange, type IpRange, isCoded, type Signal, sentence } from '@tapestry/base';
import { type Condition, type EventRecorder, findCondition, type KubeClient, type Resource, setCondition } from '@tapestry/kube';
import {
	defaultSubnet,
	notBuiltProblem,
	type Problem,
	type Subnet,
	type SubnetStatus,
	sameFacts,
	subnetResource,
	type Vpc,
	type VpcStatus,
	vpcResource,
} from '@tapestry/network';
import type { LeaseRegistry } from '../leases/registry.ts';
import type { NetworkView } from '../networks.ts';
import type { Sources } from '../world/sources.ts';
import { builtCondition } from './built-condition.ts';

export interface NetworkStatusDeps {
	readonly client: KubeClient;
	readonly sources: Sources;
	readonly networks: NetworkView;
	readonly registry: LeaseRegistry;
	readonly events: EventRecorder;
	readonly clock: Clock;
	/** Of the rows of `Subnet/<name>` or `Vpc/<name>`. */
	installation(owner: string): Installation;
}

export interface Installation {
	/** Whether the Northbound database holds all rows. */
	readonly isComplete: boolean;
	/** What keeps rows out of it. */
	readonly problem: Problem | undefined;
}

type Network = Subnet | Vpc;

/** Writes the status of VPCs and subnets, when it differs from what is there. */
export class NetworkStatus {
	readonly #deps: NetworkStatusDeps;

	constructor(deps: NetworkStatusDeps) {
		this.#deps = deps;
	}

	async writeSubnet(name: string, signal: Signal): Promise<void> {
		const { sources, networks, installation } = this.#deps;
		const subnet = sources.subnets.objects.get(name);
		if (!subnet) return;
		await this.#fillIn(subnet, signal);
		const problems = networks.subnetProblems(name) ?? [];
		const conditions = this.#conditions('Subnet', subnet, problems, installation(`Subnet/${name}`));
		const status: SubnetStatus = { ...this.#usage(name, 4), ...this.#usage(name, 6), conditions: [...conditions] };
		await this.#write(subnetResource, subnet, status, problems, signal);
	}

	async writeVpc(name: string, signal: Signal): Promise<void> {
		const { sources, networks, installation } = this.#deps;
		const vpc = sources.vpcs.objects.get(name);
		if (!vpc) return;
		const admitted = networks.vpc(name);
		const problems = networks.vpcProblems(name) ?? [];
		const conditions = this.#conditions('Vpc', vpc, problems, installation(`Vpc/${name}`));
		const own = [...networks.subnets()].map(({ facts }) => facts).filter((facts) => facts.vpc === name && !facts.isJoin);
		const status: VpcStatus = {
			conditions: [...conditions],
			standby: admitted !== undefined,
			default: admitted?.facts.isDefault ?? false,
			defaultLogicalSwitch: admitted?.facts.isDefault ? networks.defaultSubnet : (admitted?.defaultSubnet ?? ''),
			router: admitted ? name : '',
			subnets: own.map((facts) => facts.name).sort(),
		};
		await this.#write(vpcResource, vpc, status, problems, signal);
	}

	/** Writes defaults into the spec, as Kube-OVN does: users and other tools read them there. */
	async #fillIn(subnet: Subnet, signal: Signal): Promise<void> {
		const { uid, resourceVersion } = subnet.metadata;
		const filled = Object.entries(defaultSubnet(subnet).spec) as [keyof Subnet['spec'], unknown][];
		const missing = filled.filter(([field, value]) => !sameFacts(subnet.spec[field], value));
		if (missing.length === 0) return;
		const patch = { metadata: { uid, resourceVersion }, spec: Object.fromEntries(missing) };
		await this.#deps.client.patch(subnetResource, { name: subnet.metadata.name }, 'application/merge-patch+json', patch, { signal });
	}

	async #write(
		resource: Resource,
		object: Network,
		wanted: SubnetStatus | VpcStatus,
		problems: readonly Problem[],
		signal: Signal,
	): Promise<void> {
		const current = (object.status ?? {}) as Readonly<Record<string, unknown>>;
		const patch = Object.entries(wanted).filter(([field, value]) => !sameFacts(current[field], value));
		if (patch.length === 0) return;
		const body = { metadata: { uid: object.metadata.uid }, status: Object.fromEntries(patch) };
		try {
			const options = { subresource: 'status', signal };
			await this.#deps.client.patch(resource, { name: object.metadata.name }, 'application/merge-patch+json', body, options);
		} catch (error) {
			if (isCoded(error, 'KUBE_NOT_FOUND')) return;
			throw error;
		}
		const [first] = problems;
		const isNews = findCondition(object.status?.conditions, 'Validated')?.message !== messageOf(problems);
		if (first && isNews)
			this.#deps.events.record(resource, object, { type: 'Warning', reason: first.reason, message: messageOf(problems) });
	}

	#conditions(kind: string, object: Network, problems: readonly Problem[], installation: Installation): readonly Condition[] {
		const { generation } = object.metadata;
		const observed = generation === undefined ? {} : { observedGeneration: generation };
		const now = this.#deps.clock.now();
		const [first] = problems;
		const validated = first
			? { status: 'False' as const, reason: first.reason, message: messageOf(problems) }
			: { status: 'True' as const, reason: 'Valid', message: 'the object is valid' };
		const ready = readiness(installation);
		const built = builtCondition(notBuiltProblem(kind, object.spec), generation);
		const all = [{ type: 'Validated', ...validated, ...observed }, { type: 'Ready', ...ready, ...observed }, built];
		return all.reduce<readonly Condition[]>((list, condition) => setCondition(list, condition, now), object.status?.conditions ?? []);
	}

	#usage(subnet: string, family: Family): SubnetStatus {
		const allocator = this.#deps.registry.allocator(subnet, family);
		const available = { count: Number(allocator?.available ?? 0n), ranges: ranges(allocator?.availableRanges()) };
		const using = { count: Number(allocator?.using ?? 0n), ranges: ranges(allocator?.usingRanges()) };
		return family === 4
			? { v4availableIPs: available.count, v4availableIPrange: available.ranges, v4usingIPs: using.count, v4usingIPrange: using.ranges }
			: { v6availableIPs: available.count, v6availableIPrange: available.ranges, v6usingIPs: using.count, v6usingIPrange: using.ranges };
	}
}

function readiness({ isComplete, problem }: Installation): {
	readonly status: 'True' | 'False';
	readonly reason: string;
	readonly message: string;
} {
	if (isComplete) return { status: 'True', reason: 'Installed', message: 'the network is in the Northbound database' };
	if (problem) return { status: 'False', reason: problem.reason, message: sentence(problem) };
	return { status: 'False', reason: 'NotInstalled', message: 'the network is not in the Northbound database' };
}

function messageOf(problems: readonly Problem[]): string {
	return problems.map(sentence).join('; ');
}

function ranges(list: Iterable<IpRange> = []): string {
	return [...list].map((range) => formatIpRange(range, '-')).join(',');
}
