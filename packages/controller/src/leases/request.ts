import { annotations, type Parsed, type PortAddresses, parseIpAddress, parseIpPool, parseMacAddress } from '@tapestry/network';
import { refuse } from '../problems.ts';
import type { Claimant } from './claimant.ts';

/** What the owner of a lease asked for. */
export interface AddressRequest {
	/** `any`: whatever is free. `these`: these, with any free address for a family that is not among them. `oneOf`: the first entry that is free. */
	readonly addresses:
		| { readonly kind: 'any' }
		| { readonly kind: 'these'; readonly ips: PortAddresses }
		| { readonly kind: 'oneOf'; readonly entries: readonly PortAddresses[] };
	readonly mac: string | undefined;
}

/** Reads the annotations `ip_address`, `ip_pool` and `mac_address`. Throws REFUSED. */
export function addressRequest(claimant: Claimant): AddressRequest {
	const { ipAddress, ipPool, macAddress } = annotations;
	const mac = claimant.annotations[macAddress] || claimant.specMac;
	return {
		addresses: addressesOf(claimant, claimant.annotations[ipAddress], claimant.annotations[ipPool]),
		mac: mac ? read(parseMacAddress(mac)) : undefined,
	};
}

function addressesOf(claimant: Claimant, fixed: string | undefined, pool: string | undefined): AddressRequest['addresses'] {
	if (fixed) return { kind: 'these', ips: read(parseIpAddress(fixed)) };
	if (!pool) return { kind: 'any' };
	const request = read(parseIpPool(pool));
	if (request.kind === 'pool') {
		const what = `no address can be given from IPPool ${request.name}`;
		return refuse({
			reason: 'NotBuilt',
			what,
			why: 'pools of this kind are not built yet',
			fix: `list the addresses in ${annotations.ipPool}`,
		});
	}
	// As in Kube-OVN, each pod of a StatefulSet has its own entry, so that it comes back with its address.
	const own = claimant.ordinal === undefined ? undefined : request.entries[claimant.ordinal];
	return own ? { kind: 'these', ips: own } : { kind: 'oneOf', entries: request.entries };
}

/** The addresses that are named one by one. */
export function namedAddresses({ addresses }: AddressRequest): readonly PortAddresses[] {
	if (addresses.kind === 'these') return [addresses.ips];
	return addresses.kind === 'oneOf' ? addresses.entries : [];
}

function read<T>(parsed: Parsed<T>): T {
	return parsed.problem ? refuse(parsed.problem) : (parsed.value as T);
}
