import { isCoded, type Signal } from '@tapestry/base';
import { hasEnded, type KubeClient, type KubeObject, nodes, pods, type Resource } from '@tapestry/kube';
import { annotations, shownMac } from '@tapestry/network';
import { type Claimants, splitKey } from '../leases/claimants.ts';
import type { Lease } from '../leases/lease-object.ts';
import type { LeaseRegistry } from '../leases/registry.ts';
import type { NetworkView } from '../networks.ts';
import type { Sources } from '../world/sources.ts';

export interface AnnotatorDeps {
	readonly client: KubeClient;
	readonly sources: Sources;
	readonly claimants: Claimants;
	readonly registry: LeaseRegistry;
	readonly networks: NetworkView;
	/** Whether the Northbound database holds the lease's port. */
	isInstalled(name: string): boolean;
}

/** Writes on pods and nodes the annotations that users of Kube-OVN read, once their port is in the Northbound database. */
export class Annotator {
	readonly #deps: AnnotatorDeps;

	constructor(deps: AnnotatorDeps) {
		this.#deps = deps;
	}

	/** `key` is the owner of a lease. */
	async write(key: string, signal: Signal): Promise<void> {
		const { registry, isInstalled } = this.#deps;
		const lease = registry.ofOwner(key).find((one) => registry.held(one.name) === one);
		if (!lease || !isInstalled(lease.name)) return;
		const wanted = this.#annotationsFor(lease);
		if (!wanted) return;
		for (const { object, resource } of this.#targets(key, lease)) await this.#annotate(resource, object, wanted, signal);
	}

	async #annotate(resource: Resource, object: KubeObject, wanted: Readonly<Record<string, string>>, signal: Signal): Promise<void> {
		const { name, namespace, uid, annotations: current = {} } = object.metadata;
		if (Object.entries(wanted).every(([key, value]) => current[key] === value)) return;
		const target = namespace === undefined ? { name } : { name, namespace };
		const patch = { metadata: { uid, annotations: wanted } };
		try {
			await this.#deps.client.patch(resource, target, 'application/merge-patch+json', patch, { signal });
		} catch (error) {
			if (!isCoded(error, 'KUBE_NOT_FOUND') && !isCoded(error, 'KUBE_CONFLICT')) throw error;
		}
	}

	#annotationsFor(lease: Lease): Readonly<Record<string, string>> | undefined {
		const facts = this.#deps.networks.subnet(lease.subnet)?.facts;
		if (!facts || !lease.owner) return undefined;
		const common = {
			[annotations.allocated]: 'true',
			[annotations.ipAddress]: [lease.v4, lease.v6].filter((ip) => ip !== undefined).join(','),
			[annotations.macAddress]: shownMac(lease.mac),
			[annotations.cidr]: facts.blocks.map((block) => block.cidr).join(','),
			[annotations.gateway]: facts.blocks.map((block) => block.gateway).join(','),
			[annotations.logicalSwitch]: facts.name,
			[annotations.logicalRouter]: facts.vpc,
		};
		if (lease.owner.kind === 'Node') return { ...common, [annotations.portName]: lease.name };
		const vm = lease.owner.kind === 'Pod' ? {} : { [annotations.virtualMachine]: lease.owner.name };
		return { ...common, [annotations.routed]: 'true', ...vm };
	}

	#targets(key: string, lease: Lease): { readonly object: KubeObject; readonly resource: Resource }[] {
		const { sources, claimants } = this.#deps;
		const { kind, name } = splitKey(key);
		if (kind === 'VirtualMachine' || kind === 'VirtualMachineInstance') {
			return [...claimants.launchers(key)].filter((pod) => !hasEnded(pod)).map((object) => ({ object, resource: pods }));
		}
		const object: KubeObject | undefined = kind === 'Pod' ? sources.pods.objects.get(name) : sources.nodes.objects.get(name);
		if (object?.metadata.uid !== lease.owner?.uid) return [];
		return object ? [{ object, resource: kind === 'Pod' ? pods : nodes }] : [];
	}
}
