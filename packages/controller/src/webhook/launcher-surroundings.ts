import { isCoded } from '@tapestry/base';
import { hasEnded, type Pod } from '@tapestry/kube';
import { annotations, type Subnet, type VirtualMachineInstance } from '@tapestry/network';
import { chooseSubnet } from '../leases/choose-subnet.ts';
import { type Claimant, claimantKey, vmClaimant, vmiClaimant } from '../leases/claimant.ts';
import { parseLease } from '../leases/lease-object.ts';
import { requestOf } from '../leases/pools.ts';
import { type NetworkOptions, NetworkView } from '../networks.ts';
import type { Sources } from '../world/sources.ts';
import { instanceOf, type LauncherSurroundings, leavesModeOpen } from './launcher.ts';

export type LauncherSources = Pick<Sources, 'ips' | 'ipPools' | 'namespaces' | 'pods' | 'subnets' | 'vms' | 'vpcs'>;

/**
 * What decides how a new launcher's NICs are connected when the machine leaves it open: where its launcher is that runs already, as the target of a migration
 * goes on with the source's devices, else the subnet. That is the lease's, or, before there is one, the one that the lease will get.
 */
export function launcherSurroundings(vmi: VirtualMachineInstance, sources: LauncherSources, options: NetworkOptions): LauncherSurroundings {
	if (!leavesModeOpen(vmi)) return {};
	const running = [...sources.pods.objects.values()].find((pod) => runs(pod, vmi));
	if (running) return { isOnNode: running.spec?.hostNetwork === true };
	// Looking for a subnet is worth it only if one has anything to say.
	const all = [...sources.subnets.objects.values()];
	if (!all.some((subnet) => modeOf(subnet) !== undefined)) return {};
	const claimant = claimantOf(vmi, sources);
	const name = claimant && (leasedSubnet(claimant, sources) ?? subnetToBe(claimant, sources, options));
	const subnet = name === undefined ? undefined : sources.subnets.objects.get(name);
	return subnet ? { subnet: { name: subnet.metadata.name, annotation: modeOf(subnet) } } : {};
}

const modeOf = ({ metadata }: Subnet): string | undefined => metadata.annotations?.[annotations.attachmentMode];

function runs(pod: Pod, { metadata }: VirtualMachineInstance): boolean {
	const owner = instanceOf(pod);
	if (owner?.name !== metadata.name || owner.namespace !== (metadata.namespace ?? 'default')) return false;
	const isOwn = pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) ?? false;
	return isOwn && pod.metadata.deletionTimestamp === undefined && !hasEnded(pod);
}

/** Who has the lease: the VirtualMachine, or an instance without one. */
function claimantOf(vmi: VirtualMachineInstance, { vms }: LauncherSources): Claimant | undefined {
	const own = vmiClaimant(vmi, []);
	if (own) return own;
	const vm = vms.objects.get(`${vmi.metadata.namespace ?? 'default'}/${vmi.metadata.name}`);
	return vm && vmClaimant(vm, vmi, []);
}

function leasedSubnet(claimant: Claimant, { ips }: LauncherSources): string | undefined {
	const key = claimantKey(claimant);
	for (const object of ips.objects.values()) {
		if (object.metadata.annotations?.[annotations.owner] !== key) continue;
		const lease = parseLease(object);
		if (lease.owner?.uid === claimant.uid) return lease.subnet;
	}
	return undefined;
}

/** As the keeper of leases will choose. A machine that gets no address gets no port either. */
function subnetToBe(claimant: Claimant, sources: LauncherSources, options: NetworkOptions): string | undefined {
	const nobody = { onChange() {}, onSubnet() {}, onVpc() {}, onPool() {} };
	const networks = new NetworkView(
		{ sources, world: { set() {} }, registry: { addressesIn: () => [], setSubnet() {} }, ...nobody },
		options,
	);
	networks.refresh();
	try {
		return chooseSubnet(claimant, requestOf(claimant, networks), networks).facts.name;
	} catch (error) {
		if (isCoded(error)) return undefined;
		throw error;
	}
}
