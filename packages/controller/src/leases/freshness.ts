import type { Signal } from '@tapestry/base';
import type { KubeClient, KubeObject } from '@tapestry/kube';
import { ipPoolResource, subnetResource, vpcResource } from '@tapestry/network';
import type { Sources } from '../world/sources.ts';

export interface FreshnessDeps {
	readonly client: Pick<KubeClient, 'list'>;
	readonly sources: Pick<Sources, 'vpcs' | 'subnets' | 'ipPools'>;
}

/**
 * Whether our watches have shown every Vpc, Subnet and IPPool that there is now. Watches of two kinds are not ordered: a pod may be seen before the subnet that was
 * made for it just before, and would get the default subnet for good. Whoever asks while a look is under way shares the next one.
 */
export function createFreshness({ client, sources }: FreshnessDeps): (signal: Signal) => Promise<boolean> {
	let running: Promise<boolean> | undefined;
	let next: Promise<boolean> | undefined;
	const look = async (signal: Signal): Promise<boolean> => {
		const [vpcs, subnets, ipPools] = await Promise.all([
			client.list<KubeObject>(vpcResource, { signal }),
			client.list<KubeObject>(subnetResource, { signal }),
			client.list<KubeObject>(ipPoolResource, { signal }),
		]);
		const isSeen = ({ items }: { readonly items: readonly KubeObject[] }, seen: ReadonlyMap<string, unknown>) =>
			items.every(({ metadata }) => seen.has(metadata.name));
		return isSeen(vpcs, sources.vpcs.objects) && isSeen(subnets, sources.subnets.objects) && isSeen(ipPools, sources.ipPools.objects);
	};
	const start = (signal: Signal): Promise<boolean> => {
		const own = look(signal).finally(() => {
			if (running === own) running = undefined;
		});
		running = own;
		return own;
	};
	return (signal) => {
		if (!running) return start(signal);
		next ??= running
			.catch(() => {})
			.then(() => {
				next = undefined;
				return start(signal);
			});
		return next;
	};
}
