import type { World } from '@tapestry/network';
import type { BalancerView } from '../balancers/balancer-view.ts';
import { parseLease } from '../leases/lease-object.ts';
import type { LeaseRegistry } from '../leases/registry.ts';
import type { NetworkView } from '../networks.ts';
import type { PolicyView } from '../policies.ts';
import { namespaceFacts } from './namespace-facts.ts';
import { nodeFacts } from './node-facts.ts';
import type { Sources } from './sources.ts';

/** Takes in all that is there. Leases come before subnets, because a subnet takes over all its leases at once. */
export function loadWorld(
	sources: Sources,
	world: World,
	registry: LeaseRegistry,
	networks: NetworkView,
	policies: PolicyView,
	balancers: BalancerView,
): void {
	for (const object of sources.ips.objects.values()) registry.put(parseLease(object));
	networks.refresh();
	for (const [key, namespace] of sources.namespaces.objects) world.set('Namespace', key, namespaceFacts(namespace));
	policies.load();
	for (const [key, node] of sources.nodes.objects) world.set('Node', key, nodeFacts(node));
	balancers.load();
}
