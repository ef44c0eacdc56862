import { CodedError, cidrContains, firstAddress, formatIp, parseIp } from '@tapestry/base';
import { type IpLease, labels, type Subnet, subnetBlocks, subnetGateways } from '@tapestry/network';
import type { Port, PortAddress } from '../port.ts';

/**
 * The port that a lease and its subnet describe. `mtu` is for subnets that set none. Throws AGENT_LEASE when the two do not fit together, which only
 * happens when somebody changed them by hand.
 */
export function portOfLease(lease: IpLease, subnet: Subnet, mtu: number): Port {
	const { name } = lease.metadata;
	const { macAddress, v4IpAddress, v6IpAddress } = lease.spec;
	const ownerUid = lease.metadata.labels?.[labels.ownerUid];
	if (!macAddress || !ownerUid) throw unusable(name, `it has no ${macAddress ? `label ${labels.ownerUid}` : 'spec.macAddress'}`);
	const addresses = [v4IpAddress, v6IpAddress].flatMap((text) => (text ? [addressOf(name, text, subnet)] : []));
	if (addresses.length === 0) throw unusable(name, 'it has no address');
	return { name, ownerUid, mac: macAddress.toLowerCase(), addresses, mtu: subnet.spec.mtu ?? mtu, subnet: subnet.metadata.name };
}

function addressOf(lease: string, text: string, subnet: Subnet): PortAddress {
	const ip = parseIp(text);
	const block = ip && subnetBlocks(subnet)?.find((cidr) => cidrContains(cidr, ip));
	if (!block) throw unusable(lease, `"${text}" is no address of subnet ${subnet.metadata.name}`);
	const gateway = subnetGateways(subnet)?.find(({ family }) => family === ip.family) ?? firstAddress(block);
	return { address: `${formatIp(ip)}/${block.prefix}`, gateway: formatIp(gateway) };
}

const unusable = (lease: string, why: string): CodedError =>
	new CodedError('AGENT_LEASE', { what: `lease ${lease} cannot be used`, why, fix: `kubectl get ip ${lease} -o yaml` });
