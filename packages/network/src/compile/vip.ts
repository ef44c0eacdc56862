import type { DesiredRow, Fragment } from '../plan/model.ts';
import type { LeaseFacts, VipFacts } from '../world/objects.ts';
import type { Read } from '../world/world.ts';
import { shownMac, switchRow } from './names.ts';

/**
 * A Vip's port, if it has one. One that several ports may use is `virtual`: ovn-controller binds it to whichever of its parents answers for the address
 * (ovn-nb(5), virtual-parents). One of a machine outside of the cluster is a port that nobody here plugs in. One of a balancer has none (subnet.ts).
 */
export function compileVip(key: string, read: Read): Fragment {
	const vip = read.get('Vip', key);
	if (!vip || vip.type === 'switch_lb_vip') return { rows: [] };
	const ips = [vip.v4, vip.v6].filter((ip) => ip !== undefined);
	if (vip.type === 'kube_host_vm_vip') return { rows: [port(vip, vip.lease, { addresses: [[shownMac(vip.mac), ...ips].join(' ')] })] };
	const parents = read
		.list('IP', 'vip', vip.name)
		.filter((lease) => mayUse(lease, vip))
		.map(({ name }) => name);
	if (parents.length === 0) return { rows: [] };
	// A virtual port has one address.
	const virtual = ips.map((ip, i) =>
		port(vip, i === 0 ? vip.lease : `${vip.lease}.v6`, {
			type: 'virtual',
			options: { 'virtual-ip': ip, 'virtual-parents': parents.toSorted().join(',') },
		}),
	);
	return { rows: virtual };
}

/** The Vips whose addresses the lease's port may use beside its own. */
export function vipsOf(lease: LeaseFacts, read: Read): readonly VipFacts[] {
	return lease.vips.flatMap((name) => read.list('Vip', 'name', name)).filter((vip) => vip.type === '' && mayUse(lease, vip));
}

function mayUse(lease: LeaseFacts, { subnet, namespace, selector }: VipFacts): boolean {
	if (lease.subnet !== subnet || (namespace !== '' && namespace !== lease.namespace)) return false;
	return Object.entries(selector).every(([key, value]) => lease.labels[key] === value);
}

function port(vip: VipFacts, name: string, columns: Partial<DesiredRow['columns']>): DesiredRow {
	return {
		table: 'Logical_Switch_Port',
		key: `vip/${vip.name}/${name}`,
		columns: { name, type: '', addresses: [], port_security: [], options: {}, ...columns } as DesiredRow['columns'],
		listedIn: [{ ...switchRow(vip.subnet), column: 'ports' }],
	};
}
