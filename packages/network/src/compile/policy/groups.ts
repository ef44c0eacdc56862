import type { DesiredRow, Fragment, RowName } from '../../plan/model.ts';
import type { NumberedProtocol } from '../../world/policies.ts';
import { fnv1a } from '../hash.ts';

// Ports are in port groups; ovn-northd keeps the addresses of each group's ports in the sets `<name>_ip4` and `<name>_ip6`. So a port that comes, goes
// or changes its labels touches its own memberships only, and rules never list ports or pods.

/** Names in expressions have letters, digits, `_` and `.` (ovn-sb(5)); Kubernetes' names never have `_`, so two never become one. */
const identifier = (name: string): string => name.replaceAll('-', '_');

/** A name of fixed length for a text of any. 64 bits: two texts must not share one. */
const digest = (text: string): string => [text, `/${text}`].map((one) => fnv1a(one).toString(16).padStart(8, '0')).join('');

/** The ports that a selector picks, by its `selectorKey`. */
export const selectorGroup = (selector: string): string => `tapestry.sel.${digest(selector)}`;
export const securityGroupGroup = (name: string): string => `tapestry.sg.${identifier(name)}`;
/** The ports of a subnet that has rules. */
export const subnetGroup = (name: string): string => `tapestry.subnet.${identifier(name)}`;
/** The pods whose containers call the port so. */
export const portNameGroup = (protocol: NumberedProtocol, name: string, port: number): string =>
	`tapestry.port.${protocol}.${identifier(name)}.${port}`;
/** The ports of one combination of policies. */
export const combinedGroup = (key: string): string => `tapestry.all.${digest(key)}`;
/** The ports that any policy is about. */
export const policedGroup = 'tapestry.policed';
/** Those of them that nodes reach: the default VPC's. */
export const reachableGroup = 'tapestry.reachable';

export const groupRow = (name: string): RowName => ({ table: 'Port_Group', key: name });

/** The group itself. Its ports and rules enter themselves, by `listedIn`. */
export function portGroup(name: string): DesiredRow {
	return { ...groupRow(name), columns: { name }, listedIn: [] };
}

export const compileSelector = (key: string): Fragment => ({ rows: [portGroup(selectorGroup(key))] });

/** Owners of groups that exist as long as something is in them. */
export const portNameOwner = (protocol: NumberedProtocol, name: string, port: number): string => `NamedPort/${protocol}/${name}/${port}`;

export function compileNamedPort(key: string): Fragment {
	const [protocol, name = '', port] = key.split('/');
	return { rows: [portGroup(portNameGroup(protocol as NumberedProtocol, name, Number(port)))] };
}
