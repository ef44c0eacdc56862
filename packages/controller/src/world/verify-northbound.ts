import { compileAll, type Discrepancy, markOf, nbSchema, type Tables, verify, World } from '@tapestry/network';
import { BalancerView } from '../balancers/balancer-view.ts';
import { followClaimants } from '../leases/claimants.ts';
import { LeaseRegistry } from '../leases/registry.ts';
import { type NetworkOptions, NetworkView } from '../networks.ts';
import { PolicyView } from '../policies.ts';
import { publishLease } from './lease-facts.ts';
import { loadWorld } from './load.ts';
import type { Sources } from './sources.ts';

/**
 * Everything in which the Northbound database differs from what the objects of the API call for; empty when it is exactly that. A check for tests and
 * for people in doubt: it starts from nothing and writes nothing.
 */
export function verifyNorthbound(sources: Sources, tables: Tables, options: NetworkOptions): readonly Discrepancy[] {
	const world = new World();
	using claimants = followClaimants(sources, () => {});
	const installed = ownersIn(tables);
	const registry: LeaseRegistry = new LeaseRegistry({
		isInstalled: (name) => installed.has(`IP/${name}`),
		onHeld: (name, lease) => void publishLease(world, name, lease, claimants, sources.vips.objects),
		onLost: () => {},
		onFreed: () => {},
	});
	const ignore = (): void => {};
	const networks = new NetworkView(
		{ sources, world, registry, onChange: ignore, onSubnet: ignore, onVpc: ignore, onPool: ignore },
		options,
	);
	const policies = new PolicyView({ sources, world, onChange: ignore });
	const balancers = new BalancerView({ sources, world, onRule: ignore, onService: ignore }, options);
	loadWorld(sources, world, registry, networks, policies, balancers);
	return verify(nbSchema, compileAll(world), tables);
}

function ownersIn(tables: Tables): ReadonlySet<string> {
	const rows = [...(tables.Logical_Switch_Port?.values() ?? [])];
	return new Set(rows.flatMap((row) => markOf(nbSchema.tables.Logical_Switch_Port, row)?.owner ?? []));
}
