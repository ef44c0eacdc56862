import { isCoded, type Logger, parseIp, type Signal } from '@tapestry/base';
import { hasEnded, type KubeClient, type KubeObject, nodes, type Pod, pods, type Resource, type WorkQueue } from '@tapestry/kube';
import {
	annotations,
	type IpLease,
	ipResource,
	labels,
	type Problem,
	plainTraffic,
	vipResource,
	virtualMachineInstanceResource,
	virtualMachineResource,
	writeTraffic,
} from '@tapestry/network';
import type { AdmittedSubnet } from '../admission/admission.ts';
import { problemOf } from '../problems.ts';
import { chooseSubnet, type Networks } from './choose-subnet.ts';
import { type Claimant, claimantKey, isMachine, type OwnerKind } from './claimant.ts';
import type { Claimants } from './claimants.ts';
import { type Addresses, type Lease, type LeaseOwner, leaseName, leaseObject } from './lease-object.ts';
import { requestOf } from './pools.ts';
import type { LeaseRegistry } from './registry.ts';
import { type AddressRequest, again, disagreement } from './request.ts';

export interface KeeperDeps {
	readonly client: KubeClient;
	readonly claimants: Claimants;
	readonly registry: LeaseRegistry;
	readonly networks: Networks;
	readonly queue: WorkQueue;
	/** Whether all VPCs, subnets and pools that there are have been seen. */
	isFresh(signal: Signal): Promise<boolean>;
	readonly log: Logger;
	/** Tells users why an owner has no lease, or that it is well again (`undefined`). */
	report(key: string, problem: Problem | undefined): void;
}

const ownerResources: Readonly<Record<OwnerKind, Resource>> = {
	Pod: pods,
	Node: nodes,
	VirtualMachine: virtualMachineResource,
	VirtualMachineInstance: virtualMachineInstanceResource,
	Vip: vipResource,
};

/** Sees to it that each owner has exactly one lease and that nobody else has any. Works owner by owner, from what is, not from what happened. */
export class LeaseKeeper {
	readonly #deps: KeeperDeps;
	/** Owners without a lease, with the subnet that they were refused in. */
	readonly #unserved = new Map<string, { readonly subnet: string | undefined }>();
	/** Leases that went although their owner stays, by owner: it is to have the same addresses again. */
	readonly #former = new Map<string, Lease>();
	/** Owners that wait for a lease's name. */
	readonly #waitingForName = new Map<string, Set<string>>();

	constructor(deps: KeeperDeps) {
		this.#deps = deps;
	}

	/** Tries the owners again that got no address in the subnet; all that got none when `subnet` is undefined. */
	retry(subnet: string | undefined): void {
		for (const [key, refused] of this.#unserved) if (subnet === undefined || refused.subnet === subnet) this.#deps.queue.add(key);
	}

	/** The IP object of a lease is gone. */
	leaseGone(lease: Lease): void {
		if (!lease.owner) return;
		const key = claimantKey(lease.owner);
		this.#former.set(key, lease);
		this.#deps.queue.add(key);
	}

	/** An IP object of this name came or went. */
	nameChanged(name: string): void {
		for (const key of this.#waitingForName.get(name) ?? []) this.#deps.queue.add(key);
		this.#waitingForName.delete(name);
	}

	/** Brings one owner in order. Failures of requests are thrown, to be tried again with a growing pause. */
	async handle(key: string, signal: Signal): Promise<void> {
		const { claimants, registry } = this.#deps;
		const claimant = claimants.get(key);
		const leases = registry.ofOwner(key);
		const own = leases.filter((lease) => lease.owner?.uid === claimant?.uid);
		const current = own.find((lease) => registry.held(lease.name) === lease);
		for (const lease of leases) {
			const isObsolete = !own.includes(lease) || registry.isLost(lease.name) || current !== undefined;
			if (lease !== current && isObsolete) await this.#release(lease, claimant, signal);
		}
		if (!claimant) this.#served(key);
		else if (current) await this.#follow(key, claimant, current, signal);
		else if (claimant.isLeaving) this.#served(key);
		else await this.#lease(key, claimant, signal);
	}

	async #release(lease: Lease, claimant: Claimant | undefined, signal: Signal): Promise<void> {
		const { client, log, registry } = this.#deps;
		// Watches of two kinds are not ordered: the owner may be newer than what its own watch has shown so far. The API knows.
		const isForGone = lease.owner?.uid !== claimant?.uid && !registry.isLost(lease.name);
		if (isForGone && lease.owner && !(await this.#isGone(lease.owner, signal))) return;
		log.info('releasing a lease', { lease: lease.name, v4: lease.v4, v6: lease.v6 });
		try {
			if (lease.isReserved) await client.patch(ipResource, { name: lease.name }, mergePatch, withoutOwner(lease), { signal });
			else await client.remove(ipResource, { name: lease.name }, { uid: lease.uid, signal });
		} catch (error) {
			if (!isCoded(error, 'KUBE_NOT_FOUND') && !isCoded(error, 'KUBE_CONFLICT')) throw error;
		}
	}

	async #isGone(owner: LeaseOwner, signal: Signal): Promise<boolean> {
		const name = owner.namespace === '' ? { name: owner.name } : { name: owner.name, namespace: owner.namespace };
		try {
			const object = await this.#deps.client.get<KubeObject>(ownerResources[owner.kind], name, { signal });
			return object.metadata.uid !== owner.uid || (owner.kind === 'Pod' && hasEnded(object as Pod));
		} catch (error) {
			if (isCoded(error, 'KUBE_NOT_FOUND')) return true;
			throw error;
		}
	}

	/** The owner has its lease: where it runs may have to be written down, and a machine that stands still may have what it asks for by now. */
	async #follow(key: string, claimant: Claimant, lease: Lease, signal: Signal): Promise<void> {
		const { node } = claimant;
		const problem = isMachine(claimant) ? disagreement(claimant, lease) : undefined;
		if (problem?.reason === 'LeaseDiffers' && node === '' && !claimant.isLeaving) {
			// Its going brings the owner back here.
			await this.#release(lease, claimant, signal);
			return;
		}
		if (node !== '' && node !== lease.node) {
			const metadata = { uid: lease.uid, labels: { [labels.nodeName]: node } };
			const patch = { metadata, spec: { nodeName: node } };
			await this.#deps.client.patch<IpLease>(ipResource, { name: lease.name }, 'application/merge-patch+json', patch, { signal });
		}
		this.#served(key, problem);
	}

	async #lease(key: string, claimant: Claimant, signal: Signal): Promise<void> {
		const { client, registry, networks } = this.#deps;
		if (!(await this.#isDecided(claimant, signal))) {
			// What has not been seen yet brings the owner back here.
			this.#unserved.set(key, { subnet: undefined });
			return;
		}
		const reserved = this.#reservedFor(claimant);
		if (reserved) return this.#adopt(key, claimant, reserved, signal);
		const name = this.#freeName(key, claimant);
		if (name === undefined) return;
		let subnet: AdmittedSubnet | undefined;
		let object: IpLease;
		try {
			const request = requestOf(claimant, networks);
			subnet = chooseSubnet(claimant, request, networks);
			const addresses = this.#reserve(key, name, claimant, subnet, request);
			object = leaseObject(claimant, name, subnet.facts.name, addresses);
		} catch (error) {
			if (!isCoded(error)) throw error;
			this.#unserved.set(key, { subnet: subnet?.facts.name });
			this.#deps.report(key, problemOf(error));
			return;
		}
		try {
			// The registry takes the lease from the watch, as it does those of others.
			await client.create(ipResource, object, { signal });
		} catch (error) {
			registry.unreserve(name);
			if (!isCoded(error, 'KUBE_EXISTS')) throw error;
			this.#waitForName(name, key);
		}
	}

	/** False while a subnet or pool that is meant for the owner, or the namespace that says so, may not have been seen yet. */
	async #isDecided(claimant: Claimant, signal: Signal): Promise<boolean> {
		const { networks, isFresh } = this.#deps;
		if (claimant.namespace !== '' && !networks.namespace(claimant.namespace)) return false;
		try {
			const request = requestOf(claimant, networks);
			if (!isFallback(claimant, request, chooseSubnet(claimant, request, networks), networks)) return true;
		} catch (error) {
			if (!isCoded(error)) throw error;
			return true;
		}
		return isFresh(signal);
	}

	/** An owner whose lease went keeps what it had, as far as it asks for nothing else and nobody else has it. */
	#reserve(key: string, name: string, claimant: Claimant, subnet: AdmittedSubnet, request: AddressRequest): Addresses {
		const { registry } = this.#deps;
		const former = this.#former.get(key);
		if (former?.owner?.uid === claimant.uid && former.subnet === subnet.facts.name) {
			try {
				return registry.reserve(name, claimant, subnet, again(request, former));
			} catch (error) {
				if (!isCoded(error)) throw error;
			}
		}
		return registry.reserve(name, claimant, subnet, request);
	}

	/** An IP object that a user made for this owner, by its name, and that fits what the owner asks for. */
	#reservedFor(claimant: Claimant): Lease | undefined {
		const lease = this.#deps.registry.held(leaseName(claimant, false));
		if (!lease || lease.owner) return undefined;
		const wanted = claimant.annotations[annotations.logicalSwitch];
		if (wanted && wanted !== lease.subnet) return undefined;
		return disagreement(claimant, lease) ? undefined : lease;
	}

	/** The owner takes over the addresses that were kept for it; what the object leaves open is filled in. */
	async #adopt(key: string, claimant: Claimant, kept: Lease, signal: Signal): Promise<void> {
		const { client, registry, networks, log } = this.#deps;
		let object: IpLease;
		try {
			const there = { ...claimant, annotations: { ...claimant.annotations, [annotations.logicalSwitch]: kept.subnet } };
			const ips = [kept.v4, kept.v6].flatMap((text) => parseIp(text ?? '') ?? []);
			const request = { addresses: { kind: 'these' as const, ips }, mac: kept.mac || undefined };
			const subnet = chooseSubnet(there, request, networks);
			const isComplete = kept.mac !== '' && ips.length === subnet.spaces.length;
			const addresses = isComplete ? kept : registry.reserve(kept.name, claimant, subnet, request);
			object = leaseObject(claimant, kept.name, kept.subnet, addresses);
		} catch (error) {
			if (!isCoded(error)) throw error;
			this.#unserved.set(key, { subnet: kept.subnet });
			this.#deps.report(key, problemOf(error));
			return;
		}
		log.info('an owner takes over a reserved lease', { lease: kept.name, v4: kept.v4, v6: kept.v6 });
		const { labels: marks, annotations: notes } = object.metadata;
		const metadata = { uid: kept.uid, labels: { ...marks, [labels.ipReserved]: 'true' }, annotations: notes };
		await client.patch(ipResource, { name: kept.name }, mergePatch, { metadata, spec: object.spec }, { signal });
	}

	/** First come keeps the plain name; a living owner of the same name in the same namespace gets another. Undefined while that is not clear. */
	#freeName(key: string, claimant: Claimant): string | undefined {
		const { registry, claimants } = this.#deps;
		for (const isSecond of [false, true]) {
			const name = leaseName(claimant, isSecond);
			const user = registry.userOfName(name);
			if (!user) return name;
			const { owner } = user;
			const isOtherAlive = owner !== undefined && owner.uid !== claimant.uid && claimants.get(claimantKey(owner))?.uid === owner.uid;
			if (owner !== undefined && !isOtherAlive) {
				this.#waitForName(name, key);
				return undefined;
			}
		}
		this.#waitForName(leaseName(claimant, true), key);
		return undefined;
	}

	#waitForName(name: string, key: string): void {
		this.#waitingForName.set(name, (this.#waitingForName.get(name) ?? new Set()).add(key));
	}

	#served(key: string, problem?: Problem): void {
		this.#unserved.delete(key);
		this.#former.delete(key);
		this.#deps.report(key, problem);
	}
}

const mergePatch = 'application/merge-patch+json';

/** Turns a lease into an object that only keeps its addresses. */
function withoutOwner({ uid }: Lease): object {
	const metadata = {
		uid,
		labels: { [labels.ownerUid]: null, [labels.nodeName]: null },
		annotations: { [annotations.owner]: null, ...writeTraffic(plainTraffic) },
	};
	return { metadata, spec: { nodeName: '' } };
}

/** Whether the owner gets the subnet, or any of its addresses, only because nothing names another one. */
function isFallback(claimant: Claimant, { addresses }: AddressRequest, { facts }: AdmittedSubnet, networks: Networks): boolean {
	if (claimant.kind === 'Node') return false;
	const isDefault = facts.name === networks.defaultSubnet && !claimant.annotations[annotations.logicalSwitch];
	return isDefault || (claimant.kind !== 'Vip' && addresses.kind === 'any');
}
