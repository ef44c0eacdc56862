import {
	type Affinity,
	findCondition,
	type Node,
	type NodeSelectorRequirement,
	type NodeSelectorTerm,
	type Pod,
	type Taint,
	tolerates,
} from '@tapestry/kube';

/**
 * Why a pod may not run on a node, in kube-scheduler's words, or undefined when it may. Looks at readiness, spec.unschedulable, taints,
 * nodeSelector and required node affinity; not at resources, ports or other pods.
 */
export function misfit(pod: Pod, node: Node): string | undefined {
	const { nodeSelector = {}, affinity, tolerations = [] } = pod.spec ?? { containers: [] };
	if (findCondition(node.status?.conditions, 'Ready')?.status !== 'True') return 'node(s) were not ready';
	// `kubectl cordon` sets the field; its taint is what pods tolerate.
	const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
	if (node.spec?.unschedulable && !tolerations.some((one) => tolerates(one, cordon))) return 'node(s) were unschedulable';
	const taint = (node.spec?.taints ?? []).find((one) => one.effect !== 'PreferNoSchedule' && !tolerations.some((t) => tolerates(t, one)));
	if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
	const labels = node.metadata.labels ?? {};
	const selected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
	return selected && matchesAffinity(affinity, node) ? undefined : "node(s) didn't match Pod's node affinity/selector";
}

function matchesAffinity(affinity: Affinity | undefined, node: Node): boolean {
	const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
	return terms === undefined || terms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
	// A term that asks for nothing matches nothing. Source: v1.NodeSelectorTerm.
	if (matchExpressions.length + matchFields.length === 0) return false;
	const { name, labels = {} } = node.metadata;
	return (
		matchExpressions.every((requirement) => matches(requirement, labels[requirement.key])) &&
		matchFields.every((requirement) => matches(requirement, requirement.key === 'metadata.name' ? name : undefined))
	);
}

function matches({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
	switch (operator) {
		case 'In':
			return actual !== undefined && values.includes(actual);
		case 'NotIn':
			return actual === undefined || !values.includes(actual);
		case 'Exists':
			return actual !== undefined;
		case 'DoesNotExist':
			return actual === undefined;
		case 'Gt':
			return Number.parseInt(actual ?? '', 10) > Number.parseInt(values[0] ?? '', 10);
		case 'Lt':
			return Number.parseInt(actual ?? '', 10) < Number.parseInt(values[0] ?? '', 10);
		default:
			return false;
	}
}
