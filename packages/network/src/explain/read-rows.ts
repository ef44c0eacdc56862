import { parseCidr, parseIp, parseMac } from '@tapestry/base';
import { externalIds } from '../api/names.ts';
import { macValue } from '../match/index.ts';
import type { Row } from '../schema/wire.ts';
import { blockOf, readEndpoint, readPortAddress } from './addresses.ts';
import type { Acl, Balancer, Route, RouterPolicy, RouterPort, Rule, SwitchPort } from './logical-network.ts';
import type { SnapshotRow } from './snapshot.ts';

export function text(row: SnapshotRow | undefined, column: string): string {
	const value = row?.columns[column];
	return typeof value === 'string' ? value : '';
}

export function list(row: SnapshotRow | undefined, column: string): readonly string[] {
	const value = row?.columns[column];
	return Array.isArray(value) ? (value as string[]) : typeof value === 'string' && value !== '' ? [value] : [];
}

export function map(row: SnapshotRow, column: string): Readonly<Record<string, unknown>> {
	const value = row.columns[column];
	return typeof value === 'object' && !Array.isArray(value) ? (value as Row) : {};
}

export function readSwitchPort(row: SnapshotRow, owner: string): SwitchPort {
	const options = map(row, 'options');
	const type = text(row, 'type');
	const { up } = row.columns;
	const virtualIp = type === 'virtual' ? parseIp(String(options['virtual-ip'] ?? '')) : undefined;
	return {
		name: text(row, 'name'),
		switch: owner,
		type,
		addresses: list(row, 'addresses').flatMap((address) => readPortAddress(address) ?? []),
		takesUnknown: type === 'localnet' || list(row, 'addresses').includes('unknown'),
		security: list(row, 'port_security').flatMap((address) => readPortAddress(address) ?? []),
		routerPort: type === 'router' ? String(options['router-port'] ?? '') : undefined,
		virtual: virtualIp && { ip: virtualIp, parents: String(options['virtual-parents'] ?? '').split(',') },
		node: String(options['requested-chassis'] ?? '').split(',')[0] ?? '',
		isUp: typeof up === 'boolean' ? up : undefined,
		origin: row.origin,
	};
}

export function readAcl(row: SnapshotRow): Acl {
	const direction = text(row, 'direction') === 'from-lport' ? 'from-lport' : 'to-lport';
	return { ...readRule(row), direction, isAfterBalancing: map(row, 'options')['apply-after-lb'] === 'true' };
}

export function readBalancer(row: SnapshotRow): Balancer {
	const isRefusing = map(row, 'options').reject === 'true';
	const vips = Object.entries(map(row, 'vips')).flatMap(([key, value]) => {
		const vip = readEndpoint(key);
		const backends = String(value)
			.split(',')
			.flatMap((part) => readEndpoint(part.trim()) ?? []);
		return vip ? [{ ...vip, backends, isRefusing }] : [];
	});
	// ovn-nb(5): without a protocol, tcp.
	return { name: text(row, 'name'), protocol: text(row, 'protocol') || 'tcp', vips, origin: row.origin };
}

export function readRouterPort(row: SnapshotRow, owner: string, switchPort: string | undefined): RouterPort {
	const networks = list(row, 'networks').flatMap((network) => {
		const ip = parseIp(network.split('/')[0] ?? '');
		const block = parseCidr(network);
		return ip && block ? [{ ip, block }] : [];
	});
	return {
		name: text(row, 'name'),
		router: owner,
		mac: macValue(parseMac(text(row, 'mac')) ?? ''),
		networks,
		peer: text(row, 'peer') || undefined,
		table: String(map(row, 'options').route_table ?? ''),
		switchPort,
		origin: row.origin,
	};
}

export function readRoute(row: SnapshotRow): Route | undefined {
	const block = blockOf(text(row, 'ip_prefix'));
	return (
		block && {
			block,
			bySource: text(row, 'policy') === 'src-ip',
			table: text(row, 'route_table'),
			nextHop: text(row, 'nexthop'),
			outputPort: text(row, 'output_port') || undefined,
			origin: row.origin,
		}
	);
}

export function readPolicy(row: SnapshotRow): RouterPolicy {
	return { ...readRule(row), nextHops: [...new Set([...list(row, 'nexthops'), ...list(row, 'nexthop')])] };
}

function readRule(row: SnapshotRow): Rule {
	const also = map(row, 'external_ids')[externalIds.also];
	return {
		priority: Number(row.columns.priority ?? 0),
		match: text(row, 'match'),
		action: text(row, 'action'),
		origin: row.origin,
		also: typeof also === 'string' ? also.split('\n') : [],
	};
}
