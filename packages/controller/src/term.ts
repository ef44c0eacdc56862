import type { Signal } from '@tapestry/base';
import {
	createEventRecorder,
	createWorkQueue,
	type EventRecorder,
	type KubeDeps,
	type KubeObject,
	type ObjectChange,
	type WorkQueue,
} from '@tapestry/kube';
import { Compiler, type Owner, type Problem, World } from '@tapestry/network';
import type { Replica, Session } from '@tapestry/ovsdb';
import { BalancerView } from './balancers/balancer-view.ts';
import { CommitLoop } from './commit/commit-loop.ts';
import { type HeldLock, requestLock } from './commit/held-lock.ts';
import { obstacleProblem } from './commit/obstacle-problem.ts';
import type { DefaultOptions } from './defaults.ts';
import { claimantKey } from './leases/claimant.ts';
import { type Claimants, followClaimants } from './leases/claimants.ts';
import { createFreshness } from './leases/freshness.ts';
import { LeaseKeeper } from './leases/keeper.ts';
import { parseLease } from './leases/lease-object.ts';
import { LeaseRegistry } from './leases/registry.ts';
import { type NetworkOptions, NetworkView } from './networks.ts';
import { PolicyView, unknownGroups } from './policies.ts';
import { problemOf } from './problems.ts';
import { isSpecChange } from './spec-change.ts';
import type { Installation } from './status/network-status.ts';
import { policyKinds } from './status/policy-status.ts';
import { ProblemReporter } from './status/reporter.ts';
import { Subjects } from './subjects.ts';
import { createWorks, type Works } from './works.ts';
import { publishLease } from './world/lease-facts.ts';
import { isTrafficStale, trafficOf } from './world/lease-traffic.ts';
import { loadWorld } from './world/load.ts';
import { namespaceFacts } from './world/namespace-facts.ts';
import { nodeFacts } from './world/node-facts.ts';
import type { Sources } from './world/sources.ts';

export interface TermDeps extends KubeDeps {
	readonly sources: Sources;
	readonly session: Session;
	readonly replica: Replica;
	/** Tells the API server that this controller answers its webhooks from now on. */
	readonly register?: (signal: Signal) => Promise<void>;
}

export type TermOptions = NetworkOptions & DefaultOptions;

/** Requests to the API that one kind of work may have in flight. */
const concurrency = 32;

/** Leads until the signal is aborted. All that it knows it reads from Kubernetes and the Northbound database; nothing outlives a term. */
export async function lead(deps: TermDeps, options: TermOptions, signal: Signal): Promise<void> {
	await deps.sources.synced(signal);
	await using lock = requestLock(deps.session);
	await lock.held(signal);
	using term = new Term(deps, options, lock);
	await term.run(signal);
}

/** The parts of the controller, and what each tells the others. */
class Term implements Disposable {
	readonly #deps: TermDeps;
	readonly #world = new World();
	readonly #compiler: Compiler;
	readonly #commit: CommitLoop;
	readonly #registry: LeaseRegistry;
	readonly #networks: NetworkView;
	readonly #policies: PolicyView;
	readonly #subjects: Subjects;
	readonly #balancers: BalancerView;
	readonly #claimants: Claimants;
	readonly #keeper: LeaseKeeper;
	readonly #events: EventRecorder;
	readonly #reporter: ProblemReporter;
	readonly #leaseQueue: WorkQueue;
	readonly #writeQueue: WorkQueue;
	readonly #works: Works;
	/** Owners whose rows are not all in the database, with the problem when there is one that a person can solve. */
	readonly #incomplete = new Map<Owner, Problem | undefined>();
	readonly #stops: (() => void)[] = [];

	constructor(deps: TermDeps, options: TermOptions, lock: HeldLock) {
		this.#deps = deps;
		const { client, sources, clock } = deps;
		this.#leaseQueue = createWorkQueue(deps);
		this.#writeQueue = createWorkQueue(deps);
		this.#events = createEventRecorder(deps, { component: 'tapestry-controller' });
		this.#compiler = new Compiler(this.#world);
		this.#commit = new CommitLoop(
			{ ...deps, compiler: this.#compiler, lock },
			{
				onSettled: (owners) => {
					for (const owner of owners) this.#settled(owner);
				},
				onBlocked: (owner, obstacles) => this.#blocked(owner, obstacleProblem(obstacles)),
				onRefused: (owner, error) => this.#blocked(owner, problemOf(error)),
			},
		);
		this.#registry = new LeaseRegistry({
			isInstalled: (name) => this.#commit.holds(`IP/${name}`),
			onHeld: (name) => this.#leaseChanged(name),
			onLost: (lease) => {
				deps.log.warn('two leases have one address', { lost: lease.name });
				if (lease.owner) this.#leaseQueue.add(claimantKey(lease.owner));
			},
			onFreed: (subnet) => {
				this.#keeper.retry(subnet);
				this.#usageChanged(subnet);
				if (this.#networks.isHeld(subnet)) this.#later('networks');
			},
		});
		this.#networks = new NetworkView(
			{
				sources,
				world: this.#world,
				registry: this.#registry,
				onChange: () => this.#keeper.retry(undefined),
				onSubnet: (name) => this.#later(`subnet ${name}`),
				onVpc: (name) => this.#later(`vpc ${name}`),
				onPool: (name) => this.#later(`pool ${name}`),
			},
			options,
		);
		this.#policies = new PolicyView({ sources, world: this.#world, onChange: (owner) => this.#later(`policy ${owner}`) });
		this.#subjects = new Subjects(this.#world, (owner) => this.#later(`policy ${owner}`));
		this.#balancers = new BalancerView(
			{ sources, world: this.#world, onRule: (name) => this.#later(`rule ${name}`), onService: (key) => this.#later(`service ${key}`) },
			options,
		);
		this.#claimants = followClaimants(sources, (key) => this.#claimantChanged(key));
		this.#reporter = new ProblemReporter({ client, sources, events: this.#events, clock, enqueue: (key) => this.#later(`report ${key}`) });
		this.#keeper = new LeaseKeeper({
			...deps,
			claimants: this.#claimants,
			registry: this.#registry,
			networks: this.#networks,
			queue: this.#leaseQueue,
			isFresh: createFreshness(deps),
			report: (key, problem) => {
				this.#reporter.report(key, 'lease', problem);
				this.#vipChanged(key);
			},
		});
		const { works, close } = createWorks(
			{
				...deps,
				...{
					events: this.#events,
					networks: this.#networks,
					registry: this.#registry,
					claimants: this.#claimants,
					reporter: this.#reporter,
				},
				...{ policies: this.#policies, subjects: this.#subjects, balancers: this.#balancers },
				installation: (owner) => this.#installation(owner),
				later: (work) => this.#later(work),
			},
			options,
		);
		this.#works = works;
		this.#stops.push(close);
		this.#later('register');
		this.#later('defaults');
		this.#load();
		this.#subscribe();
	}

	async run(signal: Signal): Promise<void> {
		const abort = new AbortController();
		const stop = (): void => abort.abort(signal.reason);
		if (signal.aborted) stop();
		signal.addEventListener('abort', stop, { once: true });
		try {
			await Promise.all([
				this.#commit.run(abort.signal),
				this.#leaseQueue.run(concurrency, (key, aborted) => this.#keeper.handle(key, aborted), abort.signal),
				this.#writeQueue.run(concurrency, (key, aborted) => this.#write(key, aborted), abort.signal),
			]);
		} finally {
			stop();
			signal.removeEventListener('abort', stop);
		}
	}

	[Symbol.dispose](): void {
		for (const stop of this.#stops) stop();
		this.#subjects[Symbol.dispose]();
		this.#claimants[Symbol.dispose]();
		this.#compiler.close();
	}

	#load(): void {
		const { sources } = this.#deps;
		loadWorld(sources, this.#world, this.#registry, this.#networks, this.#policies, this.#balancers);
		for (const key of this.#claimants.keys()) this.#leaseQueue.add(key);
		for (const object of sources.ips.objects.values()) {
			const { owner } = parseLease(object);
			if (owner) this.#leaseQueue.add(claimantKey(owner));
		}
	}

	#subscribe(): void {
		const { sources } = this.#deps;
		const refresh =
			(work: string) =>
			(change: ObjectChange<KubeObject>): void => {
				const { key, before, after } = change;
				if (isSpecChange(change) || before?.metadata.deletionTimestamp !== after?.metadata.deletionTimestamp) this.#networks.refresh();
				// The status may be one that came after the one that we compared with.
				else this.#later(`${work} ${key}`);
			};
		const wake = (): void => this.#commit.wake();
		this.#stops.push(
			sources.ips.onChange(({ key, before, after }) => {
				if (after) this.#registry.put(parseLease(after));
				else this.#registry.remove(key);
				if (before && !after) this.#keeper.leaseGone(parseLease(before));
				this.#keeper.nameChanged(key);
			}),
			sources.vpcs.onChange(refresh('vpc')),
			sources.subnets.onChange(refresh('subnet')),
			sources.ipPools.onChange(refresh('pool')),
			sources.namespaces.onChange(({ key, after }) => {
				this.#world.set('Namespace', key, after && namespaceFacts(after));
				this.#keeper.retry(undefined);
			}),
			this.#policies.follow(),
			this.#balancers.follow(),
			sources.securityGroups.onChange(({ key, before, after }) => {
				if (before && after) return;
				for (const name of this.#world.keys('IP')) if (this.#world.get('IP', name)?.securityGroups.includes(key)) this.#publish(name);
			}),
			sources.nodes.onChange(({ key, after }) => this.#world.set('Node', key, after && nodeFacts(after))),
			this.#world.onChange((kind) => {
				// Another node may be a subnet's gateway now.
				if (kind === 'Node') for (const name of this.#networks.centralized()) this.#later(`subnet ${name}`);
				wake();
			}),
		);
	}

	#claimantChanged(key: string): void {
		this.#leaseQueue.add(key);
		for (const lease of this.#registry.ofOwner(key)) {
			this.#publish(lease.name);
			this.#later(`device ${lease.name}`);
		}
		this.#vipChanged(key);
		this.#later(`annotate ${key}`);
	}

	#leaseChanged(name: string): void {
		this.#publish(name);
		this.#later(`device ${name}`);
		const lease = this.#registry.held(name);
		if (!lease) return;
		if (lease.owner) {
			this.#leaseQueue.add(claimantKey(lease.owner));
			this.#vipChanged(claimantKey(lease.owner));
		}
		this.#usageChanged(lease.subnet);
	}

	#vipChanged(owner: string): void {
		if (owner.startsWith('Vip//')) this.#later(`vip ${owner.slice('Vip//'.length)}`);
	}

	#usageChanged(subnet: string): void {
		this.#later(`subnet ${subnet}`);
		for (const pool of this.#networks.pools()) if (pool.subnet === subnet) this.#later(`pool ${pool.name}`);
	}

	#publish(name: string): void {
		const lease = this.#registry.held(name);
		const facts = publishLease(this.#world, name, lease, this.#claimants, this.#deps.sources.vips.objects);
		const claimant = lease?.owner && this.#claimants.get(claimantKey(lease.owner));
		if (!lease || !facts) return;
		const { traffic, problems } = trafficOf(lease, claimant);
		if (isTrafficStale(this.#deps.sources.ips.objects.get(name), traffic)) this.#later(`traffic ${name}`);
		if (!claimant || claimant.uid !== lease.owner?.uid) return;
		const owner = claimantKey(claimant);
		this.#reporter.report(owner, 'groups', unknownGroups(facts, this.#deps.sources));
		this.#reporter.report(owner, 'traffic', problems[0]);
	}

	/** The Northbound database holds what the owner wants. */
	#settled(owner: Owner): void {
		this.#incomplete.delete(owner);
		this.#networkChanged(owner);
		const key = this.#claimantOf(owner);
		if (key === undefined) return;
		this.#reporter.report(key, 'port', undefined);
		this.#later(`annotate ${key}`);
	}

	/** Rows of the owner are missing; `problem` says what a person can do about it, if anything. */
	#blocked(owner: Owner, problem: Problem | undefined): void {
		if (problem) this.#deps.log.warn('rows are not written', { owner, ...problem });
		this.#incomplete.set(owner, problem);
		this.#networkChanged(owner);
		const key = this.#claimantOf(owner);
		if (key !== undefined) this.#reporter.report(key, 'port', problem);
	}

	#networkChanged(owner: Owner): void {
		if (owner.startsWith('Subnet/')) this.#later(`subnet ${owner.slice('Subnet/'.length)}`);
		if (policyKinds.has(owner.slice(0, owner.indexOf('/')))) this.#later(`policy ${owner}`);
		if (owner.startsWith('SwitchLBRule/')) this.#later(`rule ${owner.slice('SwitchLBRule/'.length)}`);
		if (owner.startsWith('Vpc/')) this.#later(`vpc ${owner.slice('Vpc/'.length)}`);
	}

	#installation(owner: Owner): Installation {
		return { isComplete: this.#commit.holds(owner) && !this.#incomplete.has(owner), problem: this.#incomplete.get(owner) };
	}

	/** The owner of the lease that owns rows. */
	#claimantOf(owner: Owner): string | undefined {
		const lease = owner.startsWith('IP/') ? this.#registry.held(owner.slice('IP/'.length)) : undefined;
		return lease?.owner && claimantKey(lease.owner);
	}

	#later(work: string): void {
		this.#writeQueue.add(work);
	}

	async #write(work: string, signal: Signal): Promise<void> {
		const [kind = '', ...rest] = work.split(' ');
		await this.#works[kind]?.(rest.join(' '), signal);
	}
}
