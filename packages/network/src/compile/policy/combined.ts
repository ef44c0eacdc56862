import type { DesiredRow, Fragment, Owner } from '../../plan/model.ts';
import type { Direction, PolicyFacts, RuleFacts, SecurityGroupFacts } from '../../world/policies.ts';
import type { PolicyKind } from '../../world/policy-set.ts';
import { encoded } from '../../world/selector.ts';
import type { Read } from '../../world/world.ts';
import { aclBand } from '../priorities.ts';
import { aclRow, type Origin } from './acl-row.ts';
import { combinedGroup, groupRow, portGroup, securityGroupGroup } from './groups.ts';
import { ofGroup, type RuleMatch, ruleMatch, securityRuleMatch, setMatch } from './match.ts';
import { isolationPath } from './policies.ts';
import { subnetRules } from './subnet-rules.ts';

/** All that is about a port, in the order in which it is asked (docs/design/0009-verdicts.md). */
export interface Combination {
	/** The port's subnet, when its `acls` allow before they drop. */
	readonly subnet: string;
	readonly groups: readonly string[];
	readonly admin: readonly string[];
	readonly policies: readonly string[];
	readonly baseline: readonly string[];
}

/** Names are encoded: a security group's is what a user wrote in an annotation, and must not become a part of the key. */
export function combinationKey({ subnet, groups, admin, policies, baseline }: Combination): string {
	return [[subnet], groups, admin, policies, baseline].map((names) => names.map(encoded).join(',')).join(';');
}

function parseCombination(key: string): Combination {
	const [subnets = [], groups = [], admin = [], policies = [], baseline = []] = key.split(';').map((names) =>
		names
			.split(',')
			.filter((name) => name !== '')
			.map(decodeURIComponent),
	);
	return { subnet: subnets[0] ?? '', groups, admin, policies, baseline };
}

/** One answer of a family. `next` leaves the verdict to the families after it, `accept` ends the list. */
interface Step {
	readonly match: string;
	readonly verdict: 'drop' | 'reject' | 'next' | 'accept';
	readonly origin: Origin;
}

interface Layer {
	readonly steps: readonly Step[];
	/** What happens to traffic that no step matches. */
	readonly otherwise: Omit<Step, 'match' | 'origin'> & { readonly origin?: Origin };
}

/** The list of a combination: what its ports receive and send, decided row by row, with a last row for everything. */
export function compileCombined(key: string, read: Read): Fragment {
	const combination = parseCombination(key);
	const group = combinedGroup(key);
	const needs: Owner[] = [];
	const gather = ({ text, needs: more }: RuleMatch): string | undefined => {
		needs.push(...more);
		return text;
	};
	const rows = (['ingress', 'egress'] as const).flatMap((direction) => {
		const layers = layersOf(combination, direction, read, gather);
		return [...flatten(layers)].slice(0, aclBand.combined.size - 1).map((line, index) => lineRow(key, group, direction, line, index));
	});
	return { rows: [portGroup(group), ...rows, ...endRows(key, group)], needs };
}

interface Line {
	readonly matches: readonly string[];
	readonly action: 'allow' | 'drop' | 'reject';
	readonly origin: Origin;
	/** The rules above that left it to this one. */
	readonly agreed: readonly Origin[];
}

/** Walks the layers depth first: after each `next` come the lines of the layers below, narrowed by its match. */
function* flatten(layers: readonly Layer[], matches: readonly string[] = [], agreed: readonly Origin[] = []): Generator<Line> {
	const [layer, ...below] = layers;
	if (!layer) {
		const origin = agreed.at(-1) ?? { by: '', path: '' };
		yield { matches, action: 'allow', origin, agreed: agreed.slice(0, -1) };
		return;
	}
	for (const { match, verdict, origin } of layer.steps) {
		const narrowed = match === 'ip' ? matches : [...matches, match];
		if (verdict === 'next') yield* flatten(below, narrowed, [...agreed, origin]);
		else if (verdict === 'accept') yield { matches: narrowed, action: 'allow', origin, agreed };
		else yield { matches: narrowed, action: verdict, origin, agreed };
	}
	const { verdict, origin = { by: '', path: '' } } = layer.otherwise;
	if (verdict === 'next') yield* flatten(below, matches, agreed);
	else if (verdict === 'accept') yield* flatten([], matches, agreed);
	else yield { matches, action: verdict, origin, agreed };
}

function lineRow(key: string, group: string, direction: Direction, line: Line, index: number): DesiredRow {
	const trace = [...line.agreed, line.origin].map(({ by, path }) => `${by} ${path}`).join(', ');
	return aclRow({
		key: `${key}/${direction}/${line.action}/${trace}`,
		direction,
		priority: aclBand.combined.top - index,
		match: ofGroup(group, direction, line.matches.join(' && ') || 'ip'),
		action: line.action,
		origin: line.origin,
		also: line.action === 'allow' ? line.agreed : [],
		group: groupRow(group),
	});
}

/** What a list that is too long does not say is denied. */
function endRows(key: string, group: string): DesiredRow[] {
	return (['ingress', 'egress'] as const).map((direction) =>
		aclRow({
			key: `${key}/${direction}/end`,
			direction,
			priority: aclBand.combined.top - aclBand.combined.size + 1,
			match: ofGroup(group, direction, 'ip'),
			action: 'drop',
			origin: { by: '', path: '' },
			group: groupRow(group),
		}),
	);
}

type Gather = (match: RuleMatch) => string | undefined;

function layersOf(combination: Combination, direction: Direction, read: Read, gather: Gather): readonly Layer[] {
	return [
		...(direction === 'ingress' ? subnetLayer(combination.subnet, read) : []),
		...securityLayer(combination.groups, direction, read, gather),
		...kubernetesLayers(combination, direction, read, gather),
	];
}

function subnetLayer(name: string, read: Read): Layer[] {
	const subnet = name === '' ? undefined : read.get('Subnet', name);
	if (!subnet) return [];
	const steps = subnetRules(subnet, 'ingress').map(({ match, action, path }): Step => {
		return { match: `(${match})`, verdict: action === 'allow' ? 'next' : action, origin: { by: `Subnet/${name}`, path } };
	});
	return [{ steps, otherwise: { verdict: 'next' } }];
}

/** The rules of all groups of the port together. A group that does not exist allows nothing. */
function securityLayer(names: readonly string[], direction: Direction, read: Read, gather: Gather): Layer[] {
	const [first] = names;
	if (first === undefined) return [];
	const groups = names.map((name) => read.get('SecurityGroup', name)).filter((group) => group !== undefined);
	const rules = groups.flatMap((group) => group.rules.filter((rule) => rule.direction === direction).map((rule) => ({ group, rule })));
	const rank = ({ rule }: (typeof rules)[number]): number => rule.priority * 2 + (rule.action === 'deny' ? 0 : 1);
	const steps = rules
		.sort((a, b) => rank(a) - rank(b))
		.flatMap(({ group, rule }) =>
			stepOf(`SecurityGroup/${group.name}`, rule, rule.action === 'deny' ? 'drop' : 'next', gather(securityRuleMatch(rule, read))),
		);
	const path = direction === 'ingress' ? 'spec.ingressRules' : 'spec.egressRules';
	return [
		{
			steps: [...steps, ...groups.filter((group) => group.allowsSameGroup).map((group) => sameGroup(group, direction))],
			otherwise: { verdict: 'drop', origin: { by: `SecurityGroup/${first}`, path } },
		},
	];
}

function sameGroup({ name }: SecurityGroupFacts, direction: Direction): Step {
	const match = setMatch(securityGroupGroup(name), direction === 'egress' ? 'dst' : 'src');
	return { match, verdict: 'next', origin: { by: `SecurityGroup/${name}`, path: 'spec.allowSameGroupTraffic' } };
}

function kubernetesLayers({ admin, policies, baseline }: Combination, direction: Direction, read: Read, gather: Gather): Layer[] {
	const found = (kind: PolicyKind, keys: readonly string[]): PolicyFacts[] =>
		keys.map((key) => read.get(kind, key)).filter((policy) => policy !== undefined);
	const steps = (list: readonly PolicyFacts[]): Step[] =>
		list.flatMap(({ owner, rules }) =>
			rules
				.filter((rule) => rule.direction === direction)
				.flatMap((rule) => stepOf(owner, rule, verdicts[rule.action], gather(ruleMatch(rule, read)))),
		);
	const ordered = found('AdminNetworkPolicy', admin).sort((a, b) => a.priority - b.priority);
	const isolating = found('NetworkPolicy', policies).filter(({ isolates }) => isolates.includes(direction));
	const [first] = isolating;
	const last: Layer = first
		? { steps: steps(isolating), otherwise: { verdict: 'drop', origin: { by: first.owner, path: isolationPath } } }
		: { steps: steps(found('BaselineAdminNetworkPolicy', baseline)), otherwise: { verdict: 'next' } };
	return [{ steps: steps(ordered), otherwise: { verdict: 'next' } }, last];
}

const verdicts = { allow: 'accept', deny: 'drop', pass: 'next' } as const;

function stepOf(by: string, rule: RuleFacts, verdict: Step['verdict'], match: string | undefined): Step[] {
	return match === undefined ? [] : [{ match, verdict, origin: { by, path: rule.path } }];
}
