import type { KubeObject, Reflector } from '@tapestry/kube';
import {
	annotations,
	type LeaseFacts,
	PolicySet,
	type Problem,
	readAdminPolicy,
	readBaselinePolicy,
	readNetworkPolicy,
	readSecurityGroup,
	type World,
} from '@tapestry/network';
import { isSpecChange } from './spec-change.ts';
import type { Sources } from './world/sources.ts';

export type PolicySources = Pick<Sources, 'networkPolicies' | 'adminPolicies' | 'baselinePolicies' | 'securityGroups'>;

export interface PoliciesDeps {
	readonly sources: PolicySources;
	readonly world: World;
	/** An object whose problems or status may have changed, as `Kind/namespace/name`. */
	onChange(owner: string): void;
}

/** Keeps the world's policies up to date with the objects, and knows what is wrong with each. */
export class PolicyView {
	readonly #deps: PoliciesDeps;
	readonly #set: PolicySet;
	readonly #problems = new Map<string, readonly Problem[]>();

	constructor(deps: PoliciesDeps) {
		this.#deps = deps;
		this.#set = new PolicySet(deps.world);
	}

	load(): void {
		const { networkPolicies, baselinePolicies } = this.#deps.sources;
		// They have no status to be brought up to date: one that is well has been told of before.
		for (const key of networkPolicies.objects.keys()) this.#readNetworkPolicy(key, false);
		for (const key of baselinePolicies.objects.keys()) this.#readBaseline(key);
		this.#readAdminPolicies([]);
		this.#readSecurityGroups([]);
	}

	/** Follows the sources; the function that is returned ends it. */
	follow(): () => void {
		const { networkPolicies, adminPolicies, baselinePolicies, securityGroups } = this.#deps.sources;
		const follow = <T extends KubeObject>(kind: string, source: Reflector<T>, read: (key: string) => void): (() => void) =>
			source.onChange((change) => {
				if (isSpecChange(change)) read(change.key);
				else this.#deps.onChange(`${kind}/${change.key}`);
			});
		const stops = [
			follow('NetworkPolicy', networkPolicies, (key) => this.#readNetworkPolicy(key)),
			follow('BaselineAdminNetworkPolicy', baselinePolicies, (key) => this.#readBaseline(key)),
			// Of these each may matter to any other: one priority for one policy, and groups speak of groups.
			follow('AdminNetworkPolicy', adminPolicies, (key) => this.#readAdminPolicies([key])),
			follow('SecurityGroup', securityGroups, (key) => this.#readSecurityGroups([key])),
		];
		return () => {
			for (const stop of stops) stop();
		};
	}

	/** What is wrong with the object; `undefined` when it is not known. */
	problems(owner: string): readonly Problem[] | undefined {
		return this.#problems.get(owner);
	}

	#readNetworkPolicy(key: string, isNews = true): void {
		const policy = this.#deps.sources.networkPolicies.objects.get(key);
		const read = policy && readNetworkPolicy(policy);
		this.#set.set('NetworkPolicy', key, read?.reading);
		this.#found(`NetworkPolicy/${key}`, read?.problems, isNews || (read?.problems.length ?? 0) > 0);
	}

	#readBaseline(key: string): void {
		const policy = this.#deps.sources.baselinePolicies.objects.get(key);
		const read = policy && readBaselinePolicy(policy);
		this.#set.set('BaselineAdminNetworkPolicy', key, read?.reading);
		this.#found(`BaselineAdminNetworkPolicy/${key}`, read?.problems);
	}

	#readAdminPolicies(changed: readonly string[]): void {
		const { objects } = this.#deps.sources.adminPolicies;
		for (const key of new Set([...changed, ...objects.keys()])) {
			const policy = objects.get(key);
			const read = policy && readAdminPolicy(policy, objects.values());
			this.#set.set('AdminNetworkPolicy', key, read?.reading);
			this.#found(`AdminNetworkPolicy/${key}`, read?.problems);
		}
	}

	#readSecurityGroups(changed: readonly string[]): void {
		const { objects } = this.#deps.sources.securityGroups;
		for (const key of new Set([...changed, ...objects.keys()])) {
			const group = objects.get(key);
			const read = group && readSecurityGroup(group, (name) => objects.has(name));
			this.#deps.world.set('SecurityGroup', key, read?.facts);
			this.#found(`SecurityGroup/${key}`, read?.problems);
		}
	}

	#found(owner: string, problems: readonly Problem[] | undefined, isNews = true): void {
		if (problems) this.#problems.set(owner, problems);
		else this.#problems.delete(owner);
		if (isNews) this.#deps.onChange(owner);
	}
}

/** Groups that a port names and that do not exist: nothing passes by them. */
export function unknownGroups({ securityGroups }: LeaseFacts, sources: PolicySources): Problem | undefined {
	const unknown = securityGroups.filter((name) => !sources.securityGroups.objects.has(name));
	if (unknown.length === 0) return undefined;
	const list = unknown.join(', ');
	return {
		reason: 'SecurityGroupUnknown',
		what: 'the port lets pass only what its other security groups allow',
		why: `${annotations.securityGroups} names ${list}, and there is no such SecurityGroup`,
		fix: `create SecurityGroup ${list}, or change the annotation`,
	};
}
