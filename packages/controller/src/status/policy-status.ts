import { type Clock, isCoded, type Signal, sentence } from '@tapestry/base';
import { type Condition, type EventRecorder, type KubeClient, type KubeObject, type Resource, setCondition } from '@tapestry/kube';
import {
	adminNetworkPolicyResource,
	baselineAdminNetworkPolicyResource,
	networkPolicyResource,
	notBuiltProblem,
	type Problem,
	sameFacts,
	securityGroupGroup,
	securityGroupResource,
} from '@tapestry/network';
import type { PolicySources, PolicyView } from '../policies.ts';
import type { Subjects } from '../subjects.ts';
import { builtCondition } from './built-condition.ts';
import type { Installation } from './network-status.ts';

export interface PolicyStatusDeps {
	readonly client: KubeClient;
	readonly sources: PolicySources;
	readonly policies: PolicyView;
	readonly events: EventRecorder;
	readonly clock: Clock;
	readonly subjects: Subjects;
	installation(owner: string): Installation;
}

type Policy = KubeObject<object, { readonly conditions?: readonly Condition[] }>;

/** Tells on policies what is wrong with them. Kubernetes' NetworkPolicy has no status: there it is an event. */
export class PolicyStatus {
	readonly #deps: PolicyStatusDeps;
	/** What was last told by event, by object and subject. */
	readonly #told = new Map<string, string>();

	constructor(deps: PolicyStatusDeps) {
		this.#deps = deps;
	}

	/** `owner` is `Kind/namespace/name` or `Kind/name`. */
	async write(owner: string, signal: Signal): Promise<void> {
		const { policies, events } = this.#deps;
		const found = this.#find(owner);
		if (!found) {
			this.#told.delete(owner);
			this.#told.delete(`${owner} ${nothingSelected.reason}`);
			return;
		}
		const { object, resource } = found;
		const problems = policies.problems(owner) ?? [];
		const message = problems.map(sentence).join('; ');
		this.#tell(owner, message, () => events.record(resource, object, { type: 'Warning', reason: problems[0]?.reason ?? '', message }));
		if (resource !== networkPolicyResource) return this.#writeStatus(owner, object, resource, problems, message, signal);
		const idle = this.#deps.subjects.count(owner) === 0 ? nothingSelected.message : '';
		this.#tell(`${owner} ${nothingSelected.reason}`, idle, () => events.record(resource, object, { type: 'Normal', ...nothingSelected }));
	}

	/** Each text once, until it is another one. */
	#tell(about: string, text: string, record: () => void): void {
		if (text !== '' && this.#told.get(about) !== text) record();
		this.#told.set(about, text);
	}

	async #writeStatus(
		owner: string,
		object: Policy,
		resource: Resource,
		problems: readonly Problem[],
		message: string,
		signal: Signal,
	): Promise<void> {
		const { name, uid, generation } = object.metadata;
		const observed = generation === undefined ? {} : { observedGeneration: generation };
		const [first] = problems;
		const validated = first
			? { type: 'Validated', status: 'False' as const, reason: first.reason, message, ...observed }
			: { type: 'Validated', status: 'True' as const, reason: 'Valid', message: 'the object is valid', ...observed };
		const { problem } = this.#deps.installation(owner);
		const ready = problem
			? { type: 'Ready', status: 'False' as const, reason: problem.reason, message: sentence(problem), ...observed }
			: { type: 'Ready', status: 'True' as const, reason: 'Installed', message: 'the rules are in the Northbound database', ...observed };
		const built = builtCondition(notBuiltProblem(resource.kind, object.spec ?? {}), generation);
		const now = this.#deps.clock.now();
		const conditions = [validated, ready, built, selecting(this.#deps.subjects.count(owner), observed)].reduce<readonly Condition[]>(
			(list, condition) => setCondition(list, condition, now),
			object.status?.conditions ?? [],
		);
		const more = resource === securityGroupResource ? { portGroup: securityGroupGroup(name) } : {};
		const status = { conditions, ...more };
		if (sameFacts({ ...object.status, ...status }, object.status ?? {})) return;
		try {
			const options = { subresource: 'status', signal };
			await this.#deps.client.patch(resource, { name }, 'application/merge-patch+json', { metadata: { uid }, status }, options);
		} catch (error) {
			if (!isCoded(error, 'KUBE_NOT_FOUND')) throw error;
		}
	}

	#find(owner: string): { readonly object: Policy; readonly resource: Resource } | undefined {
		const { networkPolicies, adminPolicies, baselinePolicies, securityGroups } = this.#deps.sources;
		const at = owner.indexOf('/');
		const [kind, key] = [owner.slice(0, at), owner.slice(at + 1)];
		const of = (object: unknown, resource: Resource) => (object ? { object: object as Policy, resource } : undefined);
		if (kind === networkPolicyResource.kind) return of(networkPolicies.objects.get(key), networkPolicyResource);
		if (kind === adminNetworkPolicyResource.kind) return of(adminPolicies.objects.get(key), adminNetworkPolicyResource);
		if (kind === baselineAdminNetworkPolicyResource.kind) return of(baselinePolicies.objects.get(key), baselineAdminNetworkPolicyResource);
		return of(securityGroups.objects.get(key), securityGroupResource);
	}
}

const nothingSelected = { reason: 'NothingSelected', message: 'no pod or machine is selected now' } as const;

/** Not an error: pods may come later. But it is the first thing to look at when a policy does nothing. */
function selecting(count: number, observed: { readonly observedGeneration?: number }): Omit<Condition, 'lastTransitionTime'> {
	// Not the number: it would make each pod's coming a write.
	if (count > 0)
		return { type: 'Selecting', status: 'True', reason: 'PortsSelected', message: 'it is about ports that exist', ...observed };
	return { type: 'Selecting', status: 'False', ...nothingSelected, ...observed };
}

/** Kinds that `write` knows. */
export const policyKinds: ReadonlySet<string> = new Set(
	[networkPolicyResource, adminNetworkPolicyResource, baselineAdminNetworkPolicyResource, securityGroupResource].map(({ kind }) => kind),
);
