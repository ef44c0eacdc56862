import { formatIp, isCoded, parseIp } from '@tapestry/base';
import {
	annotations,
	type Parsed,
	type PortAddresses,
	type Problem,
	parseInterfaceMac,
	parseIpAddress,
	parseIpPool,
	parseMacAddress,
} from '@tapestry/network';
import type { AdmittedPool } from '../admission/pools.ts';
import { problemOf, refuse } from '../problems.ts';
import type { Claimant } from './claimant.ts';
import type { Addresses } from './lease-object.ts';

/** What the owner of a lease asked for. */
export interface AddressRequest {
	/**
	 * `any`: whatever is free. `these`: these, with any free address for a family that is not among them. `oneOf`: the first entry that is free.
	 * `named`: an address of the IPPool. `pools`: an address of one of them, all of one subnet; of pods of a StatefulSet the one at their place.
	 */
	readonly addresses:
		| { readonly kind: 'any' }
		| { readonly kind: 'these'; readonly ips: PortAddresses }
		| { readonly kind: 'oneOf'; readonly entries: readonly PortAddresses[] }
		| { readonly kind: 'named'; readonly pool: string }
		| { readonly kind: 'pools'; readonly pools: readonly AdmittedPool[]; readonly ordinal: number | undefined };
	readonly mac: string | undefined;
}

/** Reads the annotations `ip_address`, `ip_pool` and `mac_address`, and the MAC address of the VM's spec. Throws REFUSED. */
export function addressRequest(claimant: Claimant): AddressRequest {
	const { ipAddress, ipPool } = annotations;
	return {
		addresses: addressesOf(claimant, claimant.annotations[ipAddress], claimant.annotations[ipPool]),
		mac: macOf(claimant),
	};
}

function macOf({ annotations: asked, specMac }: Claimant): string | undefined {
	const text = asked[annotations.macAddress];
	const annotated = text ? read(parseMacAddress(text)) : undefined;
	const own = specMac ? read(parseInterfaceMac(specMac)) : undefined;
	if (annotated === undefined || own === undefined || annotated === own) return annotated ?? own;
	return refuse({
		reason: 'MacContradiction',
		what: 'the VM asks for two MAC addresses',
		why: `its interface has macAddress ${own}, its annotation ${annotations.macAddress} says ${annotated}`,
		fix: 'remove one of the two',
	});
}

/** In what a lease is not what its owner asks for by now; undefined when it is that. */
export function disagreement(claimant: Claimant, lease: Addresses): Problem | undefined {
	let request: AddressRequest;
	try {
		request = addressRequest(claimant);
	} catch (error) {
		if (isCoded(error)) return problemOf(error);
		throw error;
	}
	const { addresses, mac } = request;
	const wanted = [...(addresses.kind === 'these' ? addresses.ips.map(formatIp) : []), ...(mac === undefined ? [] : [mac])];
	const missing = wanted.filter((one) => one !== lease.v4 && one !== lease.v6 && one !== lease.mac);
	if (missing.length === 0) return undefined;
	return {
		reason: 'LeaseDiffers',
		what: `${missing.join(' and ')} cannot be given while the machine runs`,
		why: `it has ${[lease.v4, lease.v6, lease.mac].filter((one) => one !== undefined).join(' and ')}, which its guest uses`,
		fix: 'stop and start the machine, or take the change back',
	};
}

function addressesOf(claimant: Claimant, fixed: string | undefined, pool: string | undefined): AddressRequest['addresses'] {
	if (fixed) return { kind: 'these', ips: read(parseIpAddress(fixed)) };
	if (!pool) return { kind: 'any' };
	const request = read(parseIpPool(pool));
	if (request.kind === 'pool') return { kind: 'named', pool: request.name };
	// As in Kube-OVN, each pod of a StatefulSet has its own entry, so that it comes back with its address.
	const own = claimant.ordinal === undefined ? undefined : request.entries[claimant.ordinal];
	return own ? { kind: 'these', ips: own } : { kind: 'oneOf', entries: request.entries };
}

/** The request, with the addresses that its owner had where it names none. */
export function again(request: AddressRequest, had: Addresses): AddressRequest {
	const ips = [had.v4, had.v6].flatMap((text) => parseIp(text ?? '') ?? []);
	return {
		addresses: request.addresses.kind === 'any' || request.addresses.kind === 'pools' ? { kind: 'these', ips } : request.addresses,
		mac: request.mac ?? had.mac,
	};
}

/** The addresses that are named one by one. */
export function namedAddresses({ addresses }: AddressRequest): readonly PortAddresses[] {
	if (addresses.kind === 'these') return [addresses.ips];
	return addresses.kind === 'oneOf' ? addresses.entries : [];
}

function read<T>(parsed: Parsed<T>): T {
	return parsed.problem ? refuse(parsed.problem) : (parsed.value as T);
}
