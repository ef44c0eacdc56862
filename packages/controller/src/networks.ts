import {
	heldBlockProblems,
	isOlder,
	type LeasedAddresses,
	type Problem,
	type Subnet,
	type World,
	withFormerBlocks,
} from '@tapestry/network';
import type { Admission, AdmissionOptions, AdmittedSubnet } from './admission/admission.ts';
import { admit, sameSubnet } from './admission/admit.ts';
import type { Networks } from './leases/choose-subnet.ts';
import type { LeaseRegistry } from './leases/registry.ts';
import type { Sources } from './world/sources.ts';

export interface NetworkOptions extends AdmissionOptions {
	/** Subnet of pods that nothing else gives one, unless a subnet says `spec.default`. */
	readonly defaultSubnet: string;
}

export interface NetworksDeps {
	readonly sources: Pick<Sources, 'vpcs' | 'subnets' | 'ipPools' | 'namespaces'>;
	readonly world: Pick<World, 'set'>;
	readonly registry: Pick<LeaseRegistry, 'setSubnet'> & { addressesIn(subnet: string): Iterable<LeasedAddresses> };
	/** Objects that came into use, went out of it, or changed in a way that may matter to owners without a lease. */
	onChange(): void;
	onSubnet(name: string): void;
	onVpc(name: string): void;
	onPool(name: string): void;
}

const nothing: Admission = {
	vpcs: new Map(),
	subnets: new Map(),
	vpcProblems: new Map(),
	refusedSubnets: new Map(),
	subnetProblems: new Map(),
	pools: new Map(),
	poolProblems: new Map(),
};

/** The VPCs and subnets that are in use, kept up to date in the world and the registry. */
export class NetworkView implements Networks {
	readonly #deps: NetworksDeps;
	readonly #options: NetworkOptions;
	#admission = nothing;
	/** What keeps subnets from getting the blocks that they ask for. */
	readonly #held = new Map<string, readonly Problem[]>();

	constructor(deps: NetworksDeps, options: NetworkOptions) {
		this.#deps = deps;
		this.#options = options;
	}

	/** Looks at all VPCs and subnets anew. */
	refresh(): void {
		const { sources, world, registry } = this.#deps;
		const before = this.#admission;
		this.#held.clear();
		const subnets = [...sources.subnets.objects.values()].map((subnet) => this.#inForce(subnet));
		const after = admit([...sources.vpcs.objects.values()], subnets, this.#options, [...sources.ipPools.objects.values()]);
		this.#admission = after;
		for (const name of new Set([...before.vpcs.keys(), ...after.vpcs.keys()])) world.set('Vpc', name, after.vpcs.get(name)?.facts);
		for (const name of new Set([...before.subnets.keys(), ...after.subnets.keys()])) {
			const old = before.subnets.get(name);
			const now = after.subnets.get(name);
			world.set('Subnet', name, now?.facts);
			if (!old || !now || !sameSubnet(old, now)) registry.setSubnet(name, now);
		}
		for (const name of new Set([...before.pools.keys(), ...after.pools.keys()])) world.set('IPPool', name, after.pools.get(name)?.facts);
		// The status of every object may depend on any other: writers find out for themselves whether theirs changed.
		for (const name of sources.vpcs.objects.keys()) this.#deps.onVpc(name);
		for (const name of sources.subnets.objects.keys()) this.#deps.onSubnet(name);
		for (const name of sources.ipPools.objects.keys()) this.#deps.onPool(name);
		this.#deps.onChange();
	}

	/** The subnet with the blocks that count: the former ones while leases do not fit the new ones. */
	#inForce(subnet: Subnet): Subnet {
		const { name } = subnet.metadata;
		const problems = heldBlockProblems(subnet, this.#deps.registry.addressesIn(name));
		if (problems.length === 0) return subnet;
		this.#held.set(name, problems);
		return withFormerBlocks(subnet) ?? subnet;
	}

	get defaultSubnet(): string {
		const { sources } = this.#deps;
		const said = [...this.#admission.subnets.values()].filter(
			(subnet) => subnet.isDefault && subnet.facts.vpc === this.#options.defaultVpc,
		);
		const objects = said.flatMap(({ facts }) => sources.subnets.objects.get(facts.name) ?? []);
		const [oldest] = objects.sort((a, b) => (isOlder(a, b) ? -1 : 1));
		return oldest?.metadata.name ?? this.#options.defaultSubnet;
	}

	/** Whether the subnet waits for leases to go before it gets the blocks that it asks for. */
	isHeld(subnet: string): boolean {
		return this.#held.has(subnet);
	}

	/** The subnets that leave through chosen nodes. */
	centralized(): readonly string[] {
		return [...this.#admission.subnets].flatMap(([name, { facts }]) => (facts.gateway?.kind === 'centralized' ? name : []));
	}

	get joinSubnet(): string {
		return this.#options.joinSubnet;
	}

	subnet(name: string): AdmittedSubnet | undefined {
		return this.#admission.subnets.get(name);
	}

	refusal(name: string): readonly Problem[] | undefined {
		return this.#admission.refusedSubnets.get(name);
	}

	subnetProblems(name: string): readonly Problem[] | undefined {
		const all = [...(this.#held.get(name) ?? []), ...(this.#admission.subnetProblems.get(name) ?? [])];
		return all.length > 0 ? all : undefined;
	}

	subnets() {
		return this.#admission.subnets.values();
	}

	pool(name: string) {
		return this.#admission.pools.get(name);
	}

	pools() {
		return this.#admission.pools.values();
	}

	poolProblems(name: string): readonly Problem[] | undefined {
		return this.#admission.poolProblems.get(name);
	}

	vpc(name: string) {
		return this.#admission.vpcs.get(name);
	}

	vpcs() {
		return this.#admission.vpcs.values();
	}

	vpcProblems(name: string): readonly Problem[] | undefined {
		return this.#admission.vpcProblems.get(name);
	}

	namespace(name: string) {
		const namespace = this.#deps.sources.namespaces.objects.get(name);
		return namespace && { labels: namespace.metadata.labels ?? {}, annotations: namespace.metadata.annotations ?? {} };
	}
}
