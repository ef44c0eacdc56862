import { type Clock, isCoded, type Signal, sentence } from '@tapestry/base';
import {
	type Condition,
	type EventRecorder,
	findCondition,
	type KubeClient,
	keyOf,
	type Service,
	services,
	setCondition,
} from '@tapestry/kube';
import { type Problem, ruleServiceName, type SwitchLbRule, sameFacts, switchLbRuleResource } from '@tapestry/network';
import type { BalancerSources, BalancerView } from '../balancers/balancer-view.ts';
import { outerAddresses } from '../balancers/load-balancer.ts';
import { ruleService } from '../balancers/rule-service.ts';
import { builtCondition } from './built-condition.ts';
import type { Installation } from './network-status.ts';

export interface BalancerStatusDeps {
	readonly client: KubeClient;
	readonly sources: BalancerSources;
	readonly balancers: BalancerView;
	readonly events: EventRecorder;
	readonly clock: Clock;
	installation(owner: string): Installation;
}

/** Condition of Services that ask for an outer address here. */
const outerAddressCondition = 'tapestry.io/LoadBalancer';

/** Writes what rules and Services get: the rule's Service and status, the Service's outer addresses. */
export class BalancerStatus {
	readonly #deps: BalancerStatusDeps;

	constructor(deps: BalancerStatusDeps) {
		this.#deps = deps;
	}

	async writeRule(name: string, signal: Signal): Promise<void> {
		const { sources, balancers } = this.#deps;
		const rule = sources.switchLbRules.objects.get(name);
		// The Service of a rule that is gone is the garbage collector's.
		if (!rule || rule.metadata.deletionTimestamp) return;
		const problems = balancers.problems(name);
		const wanted = problems.length === 0 ? ruleService(rule) : undefined;
		await this.#removeOthers(rule, wanted, signal);
		if (wanted) await this.#writeService(wanted, signal);
		await this.#writeRuleStatus(rule, problems, signal);
	}

	async writeService(key: string, signal: Signal): Promise<void> {
		const { sources, clock, events } = this.#deps;
		const service = sources.services.objects.get(key);
		if (!service) return;
		const outer = outerAddresses(service, sources.services.objects.values(), this.#deps.balancers.reserved());
		const before = service.status?.conditions;
		const told = findCondition(before, outerAddressCondition);
		// Somebody else's load balancer, or none.
		if (outer.kind === 'none' && told?.status !== 'True') return;
		const condition = conditionOf(outer.kind === 'problem' ? outer.problem : undefined, outer.kind === 'addresses');
		const conditions = setCondition(before, condition, clock.now());
		const ingress = outer.kind === 'addresses' ? outer.ips.map((ip) => ({ ip })) : [];
		const status = { ...service.status, conditions, loadBalancer: ingress.length > 0 ? { ingress } : {} };
		if (sameFacts(status, service.status)) return;
		await unlessGone(this.#deps.client.replace<Service>(services, { ...service, status }, { subresource: 'status', signal }));
		if (outer.kind === 'problem' && told?.message !== condition.message)
			events.record(services, service, { type: 'Warning', reason: condition.reason ?? '', message: condition.message ?? '' });
	}

	/** Services of the rule in namespaces that it has left, or while it is not in force. */
	async #removeOthers(rule: SwitchLbRule, wanted: Service | undefined, signal: Signal): Promise<void> {
		for (const service of this.#deps.sources.services.objects.values()) {
			const isOwn = service.metadata.ownerReferences?.some(({ uid }) => uid === rule.metadata.uid);
			if (!isOwn || (wanted && keyOf(service) === keyOf(wanted))) continue;
			const { uid } = service.metadata;
			await unlessGone(this.#deps.client.remove(services, service.metadata, { signal, ...(uid ? { uid } : {}) }));
		}
	}

	async #writeService(wanted: Service, signal: Signal): Promise<void> {
		const { client, sources } = this.#deps;
		const before = sources.services.objects.get(keyOf(wanted));
		if (!before) {
			try {
				await client.create(services, wanted, { signal });
			} catch (error) {
				if (!isCoded(error, 'KUBE_EXISTS')) throw error;
			}
			return;
		}
		const { selector: _, ...rest } = before.spec ?? {};
		const after = {
			...before,
			metadata: {
				...before.metadata,
				annotations: { ...before.metadata.annotations, ...wanted.metadata.annotations },
				ownerReferences: wanted.metadata.ownerReferences ?? [],
			},
			spec: { ...rest, ...wanted.spec },
		};
		if (!sameFacts(after, before)) await unlessGone(client.replace(services, after, { signal }));
	}

	async #writeRuleStatus(rule: SwitchLbRule, problems: readonly Problem[], signal: Signal): Promise<void> {
		const { name, uid, generation } = rule.metadata;
		const observed = generation === undefined ? {} : { observedGeneration: generation };
		const [first = this.#deps.installation(`SwitchLBRule/${name}`).problem] = problems;
		const ready = first
			? { type: 'Ready', status: 'False' as const, reason: first.reason, message: sentence(first), ...observed }
			: { type: 'Ready', status: 'True' as const, reason: 'Installed', message: 'the address is in force', ...observed };
		const now = this.#deps.clock.now();
		const conditions = [ready, builtCondition(undefined, generation)].reduce<readonly Condition[]>(
			(list, condition) => setCondition(list, condition, now),
			rule.status?.conditions ?? [],
		);
		const { namespace = '', ports = [] } = rule.spec;
		const shown = ports.map(({ port, protocol }) => `${port}/${protocol?.toUpperCase() || 'TCP'}`).join(',');
		const status = first
			? { conditions, ports: '', service: '' }
			: { conditions, ports: shown, service: `${namespace}/${ruleServiceName(name)}` };
		if (sameFacts({ ...rule.status, ...status }, rule.status ?? {})) return;
		const patch = { metadata: { uid }, status };
		const options = { subresource: 'status', signal };
		await unlessGone(this.#deps.client.patch(switchLbRuleResource, { name }, 'application/merge-patch+json', patch, options));
		if (first && findCondition(rule.status?.conditions, 'Ready')?.message !== ready.message)
			this.#deps.events.record(switchLbRuleResource, rule, { type: 'Warning', reason: first.reason, message: ready.message });
	}
}

function conditionOf(problem: Problem | undefined, hasAddresses: boolean): Omit<Condition, 'lastTransitionTime'> {
	const type = outerAddressCondition;
	if (problem) return { type, status: 'False', reason: problem.reason, message: sentence(problem) };
	if (!hasAddresses) return { type, status: 'False', reason: 'NoAddress', message: 'the Service asks for no address' };
	return {
		type,
		status: 'True',
		reason: 'Served',
		message: 'nodes and pods serve the addresses; routes from outside to a node are not made here',
	};
}

async function unlessGone(request: Promise<unknown>): Promise<void> {
	try {
		await request;
	} catch (error) {
		if (!isCoded(error, 'KUBE_NOT_FOUND') && !isCoded(error, 'KUBE_CONFLICT')) throw error;
	}
}
