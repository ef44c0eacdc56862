import type { Fragment } from '../plan/model.ts';
import type { LeaseFacts, SubnetFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { dhcpRow, shownMac, switchRow } from './names.ts';
import { membershipOf } from './policy/membership.ts';
import { rateLimits } from './rate-limit.ts';
import { vipsOf } from './vip.ts';

/** The port of a lease, whoever holds it. */
export function compilePort(key: string, read: Read): Fragment {
	const lease = read.get('IP', key);
	if (!lease) return { rows: [] };
	const own = [shownMac(lease.mac), lease.v4, lease.v6].filter((part) => part !== undefined);
	const address = own.join(' ');
	const allowed = [...own, ...vipsOf(lease, read).flatMap(({ v4, v6 }) => [v4, v6].filter((ip) => ip !== undefined))].join(' ');
	const subnet = read.get('Subnet', lease.subnet);
	const isAnswered = getsDhcp(lease, subnet);
	const membership = membershipOf(lease, subnet, read);
	return {
		rows: [
			{
				table: 'Logical_Switch_Port',
				// A name may return with another owner or in another subnet; that is another port.
				key: `ip/${lease.name}/${lease.subnet}/${lease.ownerUid}`,
				columns: {
					name: lease.name,
					type: '',
					addresses: [address],
					port_security: lease.isOpen ? [] : [allowed],
					options: portOptions(lease),
					dhcpv4_options: isAnswered && lease.v4 !== undefined ? dhcpRow(lease.subnet, 4) : undefined,
					dhcpv6_options: isAnswered && lease.v6 !== undefined ? dhcpRow(lease.subnet, 6) : undefined,
				},
				listedIn: [{ ...switchRow(lease.subnet), column: 'ports' }, ...membership.places],
			},
			...rateLimits(lease),
		],
		needs: membership.needs,
	};
}

function getsDhcp(lease: LeaseFacts, subnet: SubnetFacts | undefined): boolean {
	const isVm = lease.ownerKind === 'VirtualMachine' || lease.ownerKind === 'VirtualMachineInstance';
	return !subnet?.isJoin && (subnet?.dhcpFor === 'all' || (subnet?.dhcpFor === 'vms' && isVm));
}

/** ovn-controller claims a port only on the chassis, and for the interface's `iface-id-ver`, that are named here (ovn-nb(5)). */
function portOptions(lease: LeaseFacts): Readonly<Record<string, string>> {
	return { ...(lease.node === '' ? {} : { 'requested-chassis': lease.node }), 'iface-id-ver': lease.ownerUid };
}
