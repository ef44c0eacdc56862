import { type Clock, type Family, formatIpRange, type IpRange, isCoded, type Signal, sentence } from '@tapestry/base';
import { type Condition, type EventRecorder, type KubeClient, type Resource, setCondition } from '@tapestry/kube';
import {
	activeGateways,
	defaultSubnet,
	finalizer,
	natRuleId,
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
import { nodeFacts } from '../world/node-facts.ts';
import type { Sources } from '../world/sources.ts';
import { builtCondition } from './built-condition.ts';
import { terminatingCondition } from './terminating-condition.ts';
import { validatedCondition, writeStatus } from './write-status.ts';

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
		const { sources, networks, registry, installation } = this.#deps;
		const subnet = sources.subnets.objects.get(name);
		if (!subnet) return;
		const holders = registry.holders(name);
		if (mayGo(subnet, holders)) return this.#release(subnetResource, subnet, signal);
		await this.#fillIn(subnetResource, subnet, defaultSubnet(subnet).spec, signal);
		const problems = networks.subnetProblems(name) ?? [];
		const conditions = this.#conditions('Subnet', subnet, problems, installation(`Subnet/${name}`), holders);
		const status: SubnetStatus = { ...this.#usage(name, 4), ...this.#usage(name, 6), ...this.#inUse(subnet), conditions: [...conditions] };
		await writeStatus(this.#deps, subnetResource, subnet, status, problems, { subresource: 'status', signal });
	}

	async writeVpc(name: string, signal: Signal): Promise<void> {
		const { sources, networks, installation } = this.#deps;
		const vpc = sources.vpcs.objects.get(name);
		if (!vpc) return;
		const own = [...networks.subnets()].map(({ facts }) => facts).filter((facts) => facts.vpc === name);
		const holders = own.map((facts) => facts.name).sort();
		if (mayGo(vpc, holders)) return this.#release(vpcResource, vpc, signal);
		await this.#fillIn(vpcResource, vpc, vpc.spec, signal);
		const admitted = networks.vpc(name);
		const problems = networks.vpcProblems(name) ?? [];
		const conditions = this.#conditions('Vpc', vpc, problems, installation(`Vpc/${name}`), holders);
		const listed = own.filter((facts) => !facts.isJoin).map((facts) => facts.name);
		const status: VpcStatus = {
			conditions: [...conditions],
			standby: admitted !== undefined,
			default: admitted?.facts.isDefault ?? false,
			defaultLogicalSwitch: admitted?.facts.isDefault ? networks.defaultSubnet : (admitted?.defaultSubnet ?? ''),
			router: admitted ? name : '',
			subnets: listed.sort(),
			vpcPeerings: this.#linked(name),
		};
		await writeStatus(this.#deps, vpcResource, vpc, status, problems, { subresource: 'status', signal });
	}

	/** What of the subnet is in force, which may differ from the spec, or follow from other objects. */
	#inUse(subnet: Subnet): SubnetStatus {
		const { sources, networks } = this.#deps;
		const facts = networks.subnet(subnet.metadata.name)?.facts;
		if (!facts) return {};
		const nodes = [...sources.nodes.objects.values()].map(nodeFacts);
		const { gateway } = facts;
		const rules = (subnet.spec.natOutgoingPolicyRules ?? []).map((rule) => ({ ruleID: natRuleId(rule), ...rule }));
		return {
			cidrBlock: facts.blocks.map(({ cidr }) => cidr).join(','),
			gateway: facts.blocks.map((block) => block.gateway).join(','),
			activateGateway: gateway?.kind === 'centralized' ? activeGateways(gateway, nodes).join(',') : '',
			natOutgoingPolicyRules: rules,
		};
	}

	/** The VPCs that the VPC is linked to, by agreement of both. */
	#linked(name: string): readonly string[] {
		const peeringsOf = (vpc: string) => this.#deps.networks.vpc(vpc)?.facts.peerings ?? [];
		return peeringsOf(name).flatMap(({ remote }) => (peeringsOf(remote).some((back) => back.remote === name) ? remote : []));
	}

	/** Sees to the finalizer, and writes defaults into the spec, as Kube-OVN does: users and other tools read them there. */
	async #fillIn(resource: Resource, object: Network, wanted: Network['spec'], signal: Signal): Promise<void> {
		const current: Readonly<Record<string, unknown>> = object.spec;
		const spec = Object.fromEntries(Object.entries(wanted).filter(([field, value]) => !sameFacts(current[field], value)));
		const { name, uid, resourceVersion, finalizers = [], deletionTimestamp } = object.metadata;
		// An object that is being deleted takes no new finalizer.
		const isGuarded = deletionTimestamp !== undefined || finalizers.includes(finalizer);
		if (isGuarded && Object.keys(spec).length === 0) return;
		const metadata = { uid, resourceVersion, ...(isGuarded ? {} : { finalizers: [...finalizers, finalizer] }) };
		await this.#deps.client.patch(resource, { name }, 'application/merge-patch+json', { metadata, spec }, { signal });
	}

	/** Nobody needs the object any more: its rows go with it. */
	async #release(resource: Resource, object: Network, signal: Signal): Promise<void> {
		const { name, uid, resourceVersion, finalizers = [] } = object.metadata;
		if (!finalizers.includes(finalizer)) return;
		const metadata = { uid, resourceVersion, finalizers: finalizers.filter((one) => one !== finalizer) };
		try {
			await this.#deps.client.patch(resource, { name }, 'application/merge-patch+json', { metadata }, { signal });
		} catch (error) {
			if (!isCoded(error, 'KUBE_NOT_FOUND')) throw error;
		}
	}

	#conditions(
		kind: string,
		object: Network,
		problems: readonly Problem[],
		installation: Installation,
		holders: readonly string[],
	): readonly Condition[] {
		const { generation } = object.metadata;
		const observed = generation === undefined ? {} : { observedGeneration: generation };
		const now = this.#deps.clock.now();
		const ready = readiness(installation);
		const built = builtCondition(notBuiltProblem(kind, object.spec), generation);
		const leaving = object.metadata.deletionTimestamp === undefined ? [] : [terminatingCondition(kind, object.metadata.name, holders)];
		const all = [{ ...validatedCondition(problems), ...observed }, { type: 'Ready', ...ready, ...observed }, built, ...leaving];
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

/** Whether an object that is to be deleted can be. */
function mayGo({ metadata }: Network, holders: readonly string[]): boolean {
	return metadata.deletionTimestamp !== undefined && holders.length === 0;
}

function ranges(list: Iterable<IpRange> = []): string {
	return [...list].map((range) => formatIpRange(range, '-')).join(',');
}
