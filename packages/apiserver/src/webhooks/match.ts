import type { ApiObject } from '../objects.ts';
import type { Endpoint, Served } from '../registry/kind.ts';
import { matchesLabels } from '../rest/label-selector.ts';
import type { Store } from '../storage/store.ts';
import type { Attributes } from './attributes.ts';
import type { Hook, Rule } from './hook.ts';

/** A webhook that wants to be asked, and the version of the objects that it is shown. */
export interface Match {
	readonly hook: Hook;
	readonly endpoint: Endpoint;
}

const untouchable = /^(mutating|validating)webhookconfigurations\.admissionregistration\.k8s\.io$/;

/** Undefined when the webhook is not about this request. */
export function match(store: Store, hook: Hook, attributes: Attributes): Match | undefined {
	const endpoint = matchRules(hook, attributes);
	if (!endpoint || !matchesNamespace(store, hook, attributes) || !matchesObject(hook, attributes)) return undefined;
	return { hook, endpoint };
}

/** The first part of `match`, which no object decides. */
export function matchRules(hook: Hook, attributes: Pick<Attributes, 'endpoint' | 'operation' | 'subresource'>): Endpoint | undefined {
	const { endpoint } = attributes;
	// A webhook that is broken must not keep anybody from taking it away.
	if (untouchable.test(endpoint.kind.resource)) return undefined;
	const about = (served: Served): boolean => (hook.rules ?? []).some((rule) => matchesRule(rule, served, attributes));
	if (about(endpoint)) return endpoint;
	// A subresource with a body of its own has it in one version only.
	if (hook.matchPolicy === 'Exact' || attributes.subresource?.kind) return undefined;
	const other = endpoint.kind.served.find(about);
	return other && { ...other, kind: endpoint.kind };
}

function matchesRule(rule: Rule, served: Served, attributes: Pick<Attributes, 'endpoint' | 'operation' | 'subresource'>): boolean {
	const { kind } = attributes.endpoint;
	const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);
	return (
		has(rule.operations, attributes.operation) &&
		has(rule.apiGroups, served.group) &&
		has(rule.apiVersions, served.version) &&
		(rule.scope === '*' || (rule.scope === 'Namespaced') === kind.namespaced) &&
		rule.resources.some((resource) => matchesResource(resource, kind.plural, attributes.subresource?.name))
	);
}

/** `pods`, `pods/status`, `*` (no subresource); `pods/*` and `*` + `/*` take the resource itself, too, as in Kubernetes. */
function matchesResource(pattern: string, plural: string, subresource = ''): boolean {
	const [resource, wanted = ''] = pattern.split('/');
	return (resource === '*' || resource === plural) && (wanted === '*' || wanted === subresource);
}

function matchesNamespace(store: Store, hook: Hook, { endpoint, namespace, object, oldObject }: Attributes): boolean {
	const own = endpoint.kind.resource === 'namespaces' ? (object ?? oldObject) : undefined;
	if (!namespace && !own) return true;
	return matchesLabels(hook.namespaceSelector, (own ?? store.get('namespaces', '', namespace))?.metadata.labels ?? {});
}

function matchesObject(hook: Hook, { object, oldObject }: Attributes): boolean {
	const matches = (candidate: ApiObject | undefined): boolean =>
		candidate !== undefined && matchesLabels(hook.objectSelector, candidate.metadata.labels ?? {});
	return matches(object) || matches(oldObject);
}
