import { cidrRange, formatCidr, mergeRanges, parseCidr, parseIp, rangeCidrs, subtractRanges } from '@tapestry/base';
import type { DesiredRow } from '../../plan/model.ts';
import type { SubnetFacts } from '../../world/objects.ts';
import type { Direction, SubnetAclFacts } from '../../world/policies.ts';
import type { Read } from '../../world/world.ts';
import { aclBand } from '../priorities.ts';
import { aclRow } from './acl-row.ts';
import { groupRow, portGroup, subnetGroup } from './groups.ts';
import { addressMatch, ofGroup } from './match.ts';

/** What a subnet rules for all its ports: `acls`, `allowEWTraffic`, `private` and `allowSubnets`. */
export function subnetPolicyRows(subnet: SubnetFacts, read: Read): readonly DesiredRow[] {
	if (!hasRules(subnet)) return [];
	return [portGroup(subnetGroup(subnet.name)), ...sentRows(subnet), ...receivedRows(subnet), ...privateRows(subnet, read)];
}

export function hasRules({ acls, privateTo }: SubnetFacts): boolean {
	return acls.length > 0 || privateTo !== undefined;
}

/** Whether what its ports receive needs a list of its own (combined.ts), because something is let pass before something else is dropped. */
export function isOrdered(subnet: SubnetFacts): boolean {
	const rules = subnetRules(subnet, 'ingress');
	const first = rules.findIndex(({ action }) => action === 'allow');
	return first >= 0 && rules.slice(first).some(({ action }) => action !== 'allow');
}

/** The rules of one direction in order. Traffic within the subnet, where that is to pass, goes first. */
export function subnetRules(subnet: SubnetFacts, direction: Direction): readonly SubnetAclFacts[] {
	const acls = subnet.acls.filter((acl) => acl.direction === direction);
	if (!subnet.allowsEastWest || acls.length === 0) return acls;
	const blocks = subnet.blocks.map(({ cidr }) => cidr);
	const match = addressMatch(blocks, direction === 'egress' ? 'dst' : 'src');
	return [{ path: 'spec.allowEWTraffic', direction, match, action: 'allow' }, ...acls];
}

/** These stand alone before Services are replaced by endpoints: OVN's own order is the order of the rules. */
function sentRows(subnet: SubnetFacts): DesiredRow[] {
	return subnetRules(subnet, 'egress').map((acl, index) => ruleRow(subnet, acl, index));
}

/** Without an allow before a drop, drops override everything and allows say nothing. */
function receivedRows(subnet: SubnetFacts): DesiredRow[] {
	if (isOrdered(subnet)) return [];
	return subnetRules(subnet, 'ingress').flatMap((acl, index) => (acl.action === 'allow' ? [] : [ruleRow(subnet, acl, index)]));
}

function ruleRow({ name }: SubnetFacts, { path, direction, match, action }: SubnetAclFacts, index: number): DesiredRow {
	const group = subnetGroup(name);
	return aclRow({
		key: `Subnet/${name}/${path}/${direction}`,
		direction,
		priority: aclBand.subnet.top - index,
		match: ofGroup(group, direction, `(${match})`),
		action,
		origin: { by: `Subnet/${name}`, path },
		group: groupRow(group),
		isBeforeServices: direction === 'egress',
	});
}

/** Traffic that never leaves the subnet, whatever its addresses: link-local and multicast (RFC 3927, RFC 5771, RFC 4291). */
const local = ['0.0.0.0/32', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32', 'fe80::/10', 'ff00::/8'];

/** Drops what is not with an allowed block. The denied blocks are listed rather than negated: OVN makes few flows of a list. */
function privateRows(subnet: SubnetFacts, read: Read): DesiredRow[] {
	if (subnet.privateTo === undefined) return [];
	const { name } = subnet;
	const allowed = [...subnet.blocks.map(({ cidr }) => cidr), ...subnet.privateTo, ...joinBlocks(subnet, read), ...local];
	const denied = subtractRanges(rangesOf(['0.0.0.0/0', '::/0']), rangesOf(allowed)).flatMap(rangeCidrs);
	const setName = (family: number): string => `${subnetGroup(name)}.denied.v${family}`;
	const sets = ([4, 6] as const).map((family): DesiredRow => {
		const addresses = denied.filter((cidr) => cidr.family === family).map(formatCidr);
		return { table: 'Address_Set', key: setName(family), columns: { name: setName(family), addresses }, listedIn: [] };
	});
	const rules = (['ingress', 'egress'] as const).map((direction) => {
		const side = direction === 'egress' ? 'dst' : 'src';
		const match = `(ip4.${side} == $${setName(4)} || ip6.${side} == $${setName(6)})`;
		return aclRow({
			key: `Subnet/${name}/private/${direction}`,
			direction,
			priority: aclBand.private,
			match: ofGroup(subnetGroup(name), direction, match),
			action: 'drop',
			origin: { by: `Subnet/${name}`, path: 'spec.private' },
			group: groupRow(subnetGroup(name)),
		});
	});
	return [...sets, ...rules];
}

/** Nodes send from the join network. Their addresses one by one would make sets that grow as nodes x subnets. */
function joinBlocks({ vpc }: SubnetFacts, read: Read): readonly string[] {
	const join = read.list('Subnet', 'vpc', vpc).find(({ isJoin }) => isJoin);
	return (join?.blocks ?? []).map(({ cidr }) => cidr);
}

function rangesOf(blocks: readonly string[]) {
	return mergeRanges(
		blocks.flatMap((text) => {
			const ip = parseIp(text);
			const cidr = parseCidr(text);
			return ip ? [{ family: ip.family, first: ip.value, last: ip.value }] : cidr ? [cidrRange(cidr)] : [];
		}),
	);
}
