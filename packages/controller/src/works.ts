import type { Signal } from '@tapestry/base';
import type { EventRecorder, KubeDeps } from '@tapestry/kube';
import type { Owner } from '@tapestry/network';
import type { Replica } from '@tapestry/ovsdb';
import type { BalancerView } from './balancers/balancer-view.ts';
import { createDefaults, type DefaultOptions } from './defaults.ts';
import { claimantKey } from './leases/claimant.ts';
import type { Claimants } from './leases/claimants.ts';
import type { LeaseRegistry } from './leases/registry.ts';
import type { NetworkView } from './networks.ts';
import type { PolicyView } from './policies.ts';
import { Annotator } from './status/annotator.ts';
import { BalancerStatus } from './status/balancer-status.ts';
import { DeviceRules } from './status/device-rules.ts';
import { type Installation, NetworkStatus } from './status/network-status.ts';
import { PolicyStatus } from './status/policy-status.ts';
import { writePool } from './status/pool-status.ts';
import type { ProblemReporter } from './status/reporter.ts';
import { UnbuiltKinds } from './status/unbuilt-kinds.ts';
import { writeVip } from './status/vip-status.ts';
import type { Subjects } from './subjects.ts';
import { writeLeaseTraffic } from './world/lease-traffic.ts';
import type { Sources } from './world/sources.ts';

export interface WorkDeps extends KubeDeps {
	readonly sources: Sources;
	readonly replica: Replica;
	readonly events: EventRecorder;
	readonly registry: LeaseRegistry;
	readonly claimants: Claimants;
	readonly networks: NetworkView;
	readonly policies: PolicyView;
	readonly subjects: Subjects;
	readonly balancers: BalancerView;
	readonly reporter: ProblemReporter;
	/** How much of an owner's rows the Northbound database holds. */
	readonly installation: (owner: Owner) => Installation;
	/** Has a piece of work done soon: `subnet ovn-default`. */
	readonly later: (work: string) => void;
	readonly register?: (signal: Signal) => Promise<void>;
}

/** What a term writes to the API, by the first word of a piece of work; each looks at what is now and can be done again at any time. */
export type Works = Readonly<Record<string, (key: string, signal: Signal) => Promise<void>>>;

export function createWorks(deps: WorkDeps, options: DefaultOptions): { readonly works: Works; readonly close: () => void } {
	const { client, sources, registry, claimants, networks, reporter, installation, later } = deps;
	const status = new NetworkStatus(deps);
	const policies = new PolicyStatus(deps);
	const balancers = new BalancerStatus(deps);
	const annotator = new Annotator({ ...deps, isInstalled: (name) => installation(`IP/${name}`).isComplete });
	const unbuilt = new UnbuiltKinds(deps, (key) => later(`unbuilt ${key}`));
	const devices = new DeviceRules({ ...deps, enqueue: (name) => later(`device ${name}`) });
	const unfollow = devices.follow();
	return {
		works: {
			report: (key, signal) => reporter.write(key, signal),
			annotate: (key, signal) => annotator.write(key, signal),
			subnet: (key, signal) => status.writeSubnet(key, signal),
			policy: (key, signal) => policies.write(key, signal),
			rule: (key, signal) => balancers.writeRule(key, signal),
			service: (key, signal) => balancers.writeService(key, signal),
			vpc: (key, signal) => status.writeVpc(key, signal),
			pool: (key, signal) => writePool(deps, key, signal),
			vip: (key, signal) => writeVip({ ...deps, problemOf: (owner) => reporter.problemOf(owner) }, key, signal),
			device: (key, signal) => devices.write(key, signal),
			unbuilt: (key, signal) => unbuilt.write(key, signal),
			async traffic(name, signal) {
				const lease = registry.held(name);
				const claimant = lease?.owner && claimants.get(claimantKey(lease.owner));
				if (lease?.owner) await writeLeaseTraffic({ client, ips: sources.ips }, lease, claimant, signal);
			},
			networks: async () => networks.refresh(),
			defaults: (_, signal) => createDefaults(client, sources, options, signal),
			register: async (_, signal) => deps.register?.(signal),
		},
		close() {
			unfollow();
			unbuilt.close();
		},
	};
}
