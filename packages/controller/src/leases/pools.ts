import { annotations } from '@tapestry/network';
import type { AdmittedPool } from '../admission/pools.ts';
import { refuse } from '../problems.ts';
import type { Networks } from './choose-subnet.ts';
import type { Claimant } from './claimant.ts';
import { type AddressRequest, addressRequest } from './request.ts';

/**
 * What the owner asks for, or else its namespace for it: the namespace's annotation `ip_pool`, or the pools that are bound to it, out of which alone its
 * pods get addresses. Throws REFUSED.
 */
export function requestOf(claimant: Claimant, networks: Networks): AddressRequest {
	const own = addressRequest(claimant);
	if (own.addresses.kind === 'named') return { ...own, addresses: named(own.addresses.pool, claimant, networks) };
	if (own.addresses.kind !== 'any' || claimant.kind === 'Node' || claimant.kind === 'Vip') return own;
	const text = networks.namespace(claimant.namespace)?.annotations[annotations.ipPool];
	if (text) return requestOf({ ...claimant, annotations: { ...claimant.annotations, [annotations.ipPool]: text } }, networks);
	const bound = [...networks.pools()].filter(({ namespaces }) => namespaces.includes(claimant.namespace));
	const wanted = claimant.annotations[annotations.logicalSwitch];
	const [first] = bound.filter(({ subnet }) => !wanted || subnet === wanted).sort(byName);
	if (!first) return own;
	const pools = bound.filter(({ subnet }) => subnet === first.subnet).sort(byName);
	return { ...own, addresses: { kind: 'pools', pools, ordinal: claimant.ordinal } };
}

function named(name: string, claimant: Claimant, networks: Networks): AddressRequest['addresses'] {
	const pool = networks.pool(name);
	const what = `no address can be given from IPPool ${name}`;
	if (!pool) {
		const fix = `create IPPool ${name}, or list addresses in ${annotations.ipPool}`;
		return refuse({ reason: 'PoolUnknown', what, why: 'there is no IPPool of this name in use', fix });
	}
	const { namespaces, subnet } = pool;
	if (namespaces.length > 0 && !namespaces.includes(claimant.namespace)) {
		const fix = `add ${claimant.namespace} to spec.namespaces of IPPool ${name}`;
		return refuse({ reason: 'PoolForbidden', what, why: `it is for namespaces ${namespaces.join(', ')}`, fix });
	}
	const wanted = claimant.annotations[annotations.logicalSwitch];
	if (wanted && wanted !== subnet) {
		const why = `it is a part of subnet ${subnet}, and ${annotations.logicalSwitch} names ${wanted}`;
		return refuse({ reason: 'PoolElsewhere', what, why, fix: 'remove one of the two annotations' });
	}
	return { kind: 'pools', pools: [pool], ordinal: claimant.ordinal };
}

function byName(a: AdmittedPool, b: AdmittedPool): number {
	return a.name < b.name ? -1 : 1;
}
