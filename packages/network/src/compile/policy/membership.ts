import type { Owner, Place } from '../../plan/model.ts';
import type { LeaseFacts, SubnetFacts } from '../../world/objects.ts';
import type { SelectorFacts } from '../../world/policies.ts';
import { selectorKey, selects } from '../../world/selector.ts';
import type { Read } from '../../world/world.ts';
import { alwaysOwner, reachableOwner } from './always.ts';
import { type Combination, combinationKey } from './combined.ts';
import {
	combinedGroup,
	groupRow,
	policedGroup,
	portNameGroup,
	portNameOwner,
	reachableGroup,
	securityGroupGroup,
	selectorGroup,
	subnetGroup,
} from './groups.ts';
import { hasRules, isOrdered } from './subnet-rules.ts';

export interface Membership {
	/** The groups that list the port. */
	readonly places: readonly Place[];
	readonly needs: readonly Owner[];
}

/** The port groups of a lease's port: those of the selectors that pick it, of its security groups, of its subnet, of its ports' names. */
export function membershipOf(lease: LeaseFacts, subnet: SubnetFacts | undefined, read: Read): Membership {
	if (lease.ownerKind === 'Node' || subnet?.isJoin) return { places: [], needs: [] };
	const selectors = selectorsOf(lease, read);
	const subjectOf = selectors.flatMap((selector) => selector.subjectOf);
	const ofSubnet = subnet && hasRules(subnet) ? [subnetGroup(subnet.name)] : [];
	// A port may name a group before it is there.
	const securityGroups = lease.securityGroups.filter((name) => read.get('SecurityGroup', name)).map(securityGroupGroup);
	const named = lease.ports.filter(({ protocol, name }) => read.get('PortName', `${protocol}/${name}`));
	const combination = combinationOf(lease, subnet, subjectOf, read);
	const isPoliced = subjectOf.length > 0 || ofSubnet.length > 0 || combination !== undefined;
	const isReachable = isPoliced && read.get('Vpc', subnet?.vpc ?? '')?.isDefault;
	const names = [
		...selectors.map((selector) => selectorGroup(selectorKey(selector))),
		...securityGroups,
		...ofSubnet,
		...named.map(({ protocol, name, port }) => portNameGroup(protocol, name, port)),
		...(combination === undefined ? [] : [combinedGroup(combination)]),
		...(isPoliced ? [policedGroup] : []),
		...(isReachable ? [reachableGroup] : []),
	];
	return {
		places: [...new Set(names)].map((name) => ({ ...groupRow(name), column: 'ports' })),
		needs: [
			...named.map(({ protocol, name, port }) => portNameOwner(protocol, name, port)),
			...(combination === undefined ? [] : [`Combination/${combination}`]),
			...(isPoliced ? [alwaysOwner] : []),
			...(isReachable ? [reachableOwner] : []),
		],
	};
}

function selectorsOf(lease: LeaseFacts, read: Read): readonly SelectorFacts[] {
	const namespaceLabels = read.get('Namespace', lease.namespace)?.labels ?? {};
	const all = [...read.list('Selector', 'scope', lease.namespace), ...read.list('Selector', 'scope', '*')];
	return all.filter((selector) => selects(selector, lease, namespaceLabels));
}

/** The key of what is about the port, when that needs a list of its own: families that must agree, or a Pass. */
function combinationOf(lease: LeaseFacts, subnet: SubnetFacts | undefined, subjectOf: readonly string[], read: Read): string | undefined {
	const of = (kind: string): string[] =>
		subjectOf
			.filter((owner) => owner.startsWith(`${kind}/`))
			.map((owner) => owner.slice(kind.length + 1))
			.sort();
	const combination: Combination = {
		subnet: subnet && isOrdered(subnet) ? subnet.name : '',
		groups: lease.securityGroups,
		admin: of('AdminNetworkPolicy'),
		policies: of('NetworkPolicy'),
		baseline: of('BaselineAdminNetworkPolicy'),
	};
	const says = (name: string): boolean => read.get('AdminNetworkPolicy', name)?.rules.some(({ action }) => action === 'pass') ?? false;
	const isNeeded = combination.subnet !== '' || combination.groups.length > 0 || combination.admin.some(says);
	return isNeeded ? combinationKey(combination) : undefined;
}
