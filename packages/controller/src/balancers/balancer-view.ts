import type { KubeObject, ObjectChange } from '@tapestry/kube';
import {
	defaultNames,
	endpointSliceFacts,
	type Problem,
	serviceFacts,
	subnetBlocks,
	switchLbRuleFacts,
	validateSwitchLbRule,
	vpcOf,
	type World,
} from '@tapestry/network';
import type { AdmissionOptions } from '../admission/admission.ts';
import { isSpecChange } from '../spec-change.ts';
import type { Sources } from '../world/sources.ts';
import type { Reserved } from './load-balancer.ts';

export type BalancerSources = Pick<Sources, 'services' | 'endpointSlices' | 'switchLbRules' | 'subnets' | 'vpcs' | 'vips' | 'namespaces'>;

export interface BalancersDeps {
	readonly sources: BalancerSources;
	readonly world: World;
	/** A rule whose problems may have changed, by name. */
	onRule(name: string): void;
	/** A Service that may ask for another outer address, as `namespace/name`. */
	onService(key: string): void;
}

/** Keeps the world's Services, endpoints and rules up to date with the objects. */
export class BalancerView {
	readonly #deps: BalancersDeps;
	readonly #options: Pick<AdmissionOptions, 'serviceCidrs'>;
	readonly #problems = new Map<string, readonly Problem[]>();

	constructor(deps: BalancersDeps, options: Pick<AdmissionOptions, 'serviceCidrs'>) {
		this.#deps = deps;
		this.#options = options;
	}

	load(): void {
		const { sources, world } = this.#deps;
		for (const [key, service] of sources.services.objects) world.set('Service', key, serviceFacts(service));
		for (const [key, slice] of sources.endpointSlices.objects) world.set('EndpointSlice', key, endpointSliceFacts(slice));
		this.#readRules([]);
		for (const key of sources.services.objects.keys()) this.#serviceChanged(key);
	}

	/** Follows the sources; the function that is returned ends it. */
	follow(): () => void {
		const { sources, world } = this.#deps;
		const readAll = (): void => this.#readRules([]);
		const onSpec = (change: ObjectChange<KubeObject>): void => {
			if (isSpecChange(change)) readAll();
		};
		const stops = [
			sources.services.onChange(({ key, before, after }) => {
				world.set('Service', key, after && serviceFacts(after));
				const owner = (after ?? before)?.metadata.ownerReferences?.find(({ kind }) => kind === 'SwitchLBRule');
				if (owner) this.#deps.onRule(owner.name);
				// Its address may have become another's.
				const asks = [before, after].some((service) => service?.spec?.loadBalancerIP);
				for (const other of asks ? sources.services.objects.keys() : [key]) this.#serviceChanged(other);
			}),
			sources.endpointSlices.onChange(({ key, after }) => world.set('EndpointSlice', key, after && endpointSliceFacts(after))),
			sources.switchLbRules.onChange((change) => {
				if (isSpecChange(change)) this.#readRules([change.key]);
				else this.#deps.onRule(change.key);
			}),
			sources.subnets.onChange((change) => {
				onSpec(change);
				for (const [key, service] of sources.services.objects) if (service.spec?.loadBalancerIP) this.#serviceChanged(key);
			}),
			sources.vpcs.onChange(onSpec),
			sources.vips.onChange(readAll),
			sources.namespaces.onChange(({ before, after }) => {
				if (before?.metadata.deletionTimestamp !== after?.metadata.deletionTimestamp || !before || !after) readAll();
			}),
		];
		return () => {
			for (const stop of stops) stop();
		};
	}

	/** What is wrong with the rule. */
	problems(name: string): readonly Problem[] {
		return this.#problems.get(name) ?? [];
	}

	/** Where no outer address may be: pods and Services have addresses there. */
	reserved(): readonly Reserved[] {
		const services = this.#options.serviceCidrs.map((cidr) => ({ cidr, by: 'the block of the Services' }));
		const subnets = [...this.#deps.sources.subnets.objects.values()].filter(
			(subnet) => vpcOf(subnet) === defaultNames.vpc && !subnet.spec.vlan,
		);
		return [
			...services,
			...subnets.flatMap((subnet) => (subnetBlocks(subnet) ?? []).map((cidr) => ({ cidr, by: `subnet ${subnet.metadata.name}` }))),
		];
	}

	/** Each rule may matter to any other: one address for one rule. */
	#readRules(changed: readonly string[]): void {
		const { sources, world } = this.#deps;
		const rules = sources.switchLbRules.objects;
		const subnets = [...sources.subnets.objects.values()];
		const vpcs = [...sources.vpcs.objects.values()];
		const namespaces = { has: (name: string) => isStaying(sources.namespaces.objects.get(name)) };
		const context = {
			others: [...rules.values()],
			subnets,
			vpcs,
			vips: [...sources.vips.objects.values()],
			namespaces,
			serviceCidrs: this.#options.serviceCidrs,
		};
		for (const name of new Set([...changed, ...rules.keys()])) {
			const rule = rules.get(name);
			const problems = rule ? validateSwitchLbRule(rule, context) : [];
			if (rule) this.#problems.set(name, problems);
			else this.#problems.delete(name);
			world.set('SwitchLBRule', name, rule && problems.length === 0 ? switchLbRuleFacts(rule, subnets, vpcs) : undefined);
			this.#deps.onRule(name);
		}
	}

	#serviceChanged(key: string): void {
		const service = this.#deps.sources.services.objects.get(key);
		if (service?.spec?.type === 'LoadBalancer' || service?.status?.loadBalancer?.ingress) this.#deps.onService(key);
	}
}

/** In a namespace that is being deleted no Service can be made. */
function isStaying(namespace: KubeObject | undefined): boolean {
	return namespace !== undefined && namespace.metadata.deletionTimestamp === undefined;
}
