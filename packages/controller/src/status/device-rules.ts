import { type Clock, isCoded, type Signal } from '@tapestry/base';
import { type Condition, type EventRecorder, findCondition, type KubeClient, setCondition } from '@tapestry/kube';
import {
	annotations,
	chooseAttachmentMode,
	ipResource,
	macvtapParent,
	type PortRules,
	podInterface,
	readPortRules,
	type Unenforced,
	unenforcedRules,
	type VirtualMachineInstance,
	type VirtualMachineInstanceSpec,
} from '@tapestry/network';
import type { Replica } from '@tapestry/ovsdb';
import { readTables } from '../commit/commit-loop.ts';
import { claimantKey } from '../leases/claimant.ts';
import type { Claimants } from '../leases/claimants.ts';
import type { Lease } from '../leases/lease-object.ts';
import type { LeaseRegistry } from '../leases/registry.ts';
import type { Sources } from '../world/sources.ts';
import { findLeaseOwner, type LeaseOwnerObject, patchConditions } from './owner-conditions.ts';

export interface DeviceRulesDeps {
	readonly client: KubeClient;
	readonly sources: Sources;
	readonly claimants: Claimants;
	readonly registry: LeaseRegistry;
	readonly events: EventRecorder;
	readonly clock: Clock;
	/** What the Northbound database holds. */
	readonly replica: Replica;
	/** Has `write` called with the name of a lease soon. */
	enqueue(lease: string): void;
}

/** Condition of machines that are past the switch: False while some of their rules are not enforced there. */
export const rulesEnforced = 'tapestry.io/RulesEnforced';

/** An object's annotations may take 256 KiB together (Kubernetes, TotalAnnotationSizeLimitB). */
const longestRules = 200_000;
/** Of rules that are not enforced the condition names so many. */
const mostNamed = 20;

/** What of the switch is not there for anybody past it. */
const absent =
	'Services, NAT, QoS, mirrors and the routers of Tapestry are not there, and pods and nodes reach the machine by the network of that NIC only';

/**
 * Carries the rules of machines whose NIC is past the switch to the agent of their node, as an annotation of the lease, and tells the machine which of them
 * are not enforced there. The rules are read from the Northbound database: they are those that the switch would ask.
 */
export class DeviceRules {
	readonly #deps: DeviceRulesDeps;
	readonly #past = new Set<string>();

	constructor(deps: DeviceRulesDeps) {
		this.#deps = deps;
	}

	/** Follows what the rules are made of; the function that is returned ends it. */
	follow(): () => void {
		const { enqueue, registry, replica, sources } = this.#deps;
		const stops = [
			replica.onChange(() => {
				for (const name of this.#past) enqueue(name);
			}),
			sources.ips.onChange(({ key }) => {
				if (this.#past.has(key)) enqueue(key);
			}),
			sources.subnets.onChange(({ key, before, after }) => {
				const isSame = [annotations.attachmentMode, annotations.macvtapParent].every(
					(name) => before?.metadata.annotations?.[name] === after?.metadata.annotations?.[name],
				);
				if (!isSame) for (const name of registry.holders(key)) enqueue(name);
			}),
		];
		return () => {
			for (const stop of stops) stop();
		};
	}

	/** Brings one lease and its machine in order. */
	async write(name: string, signal: Signal): Promise<void> {
		const { registry, replica, sources } = this.#deps;
		const lease = registry.held(name);
		const object = sources.ips.objects.get(name);
		const key = lease?.owner && claimantKey(lease.owner);
		const owner = key === undefined ? undefined : findLeaseOwner(sources, key);
		if (!lease || !object || !owner || owner.object.metadata.uid !== lease.owner?.uid) {
			this.#past.delete(name);
			return;
		}
		const before = object.metadata.annotations?.[annotations.deviceRules];
		const parent = this.#parentOf(lease, before !== undefined);
		if (parent === undefined) {
			this.#past.delete(name);
			if (before !== undefined) await this.#annotate(lease, null, signal);
			await this.#tell(owner, undefined, signal);
			return;
		}
		this.#past.add(name);
		const rules = readPortRules(readTables(replica), name);
		// The database does not have the port yet.
		if (!rules) return;
		const text = JSON.stringify(rules);
		const isTooLong = text.length > longestRules;
		if (!isTooLong && text !== before) await this.#annotate(lease, text, signal);
		await this.#tell(owner, conditionOf(parent, rules, isTooLong), signal);
	}

	/**
	 * The NIC of the node that the lease's machine is on. What runs stays there, whatever its subnet says by now; of a machine that runs and has rules
	 * already, they are kept up to date.
	 */
	#parentOf({ owner, subnet }: Lease, hasRules: boolean): string | undefined {
		const { claimants, sources } = this.#deps;
		if (owner?.kind !== 'VirtualMachine' && owner?.kind !== 'VirtualMachineInstance') return undefined;
		const machine = this.#machine(owner.kind, `${owner.namespace}/${owner.name}`);
		const asked = sources.subnets.objects.get(subnet)?.metadata.annotations;
		const wishes = (name: string) => ({ annotation: machine?.annotations[name], subnet: { name: subnet, annotation: asked?.[name] } });
		const mode = machine && chooseAttachmentMode({ nic: podInterface(machine.spec), ...wishes(annotations.attachmentMode) }).value;
		const parent = mode && macvtapParent(mode, wishes(annotations.macvtapParent)).value;
		if (parent !== undefined || !hasRules) return parent;
		const isRunning = [...claimants.launchers(claimantKey(owner))].length > 0;
		return isRunning ? 'its NIC of the node' : undefined;
	}

	/** The instance that runs, or else what the next one will be. */
	#machine(
		kind: 'VirtualMachine' | 'VirtualMachineInstance',
		name: string,
	): { readonly spec: Partial<VirtualMachineInstanceSpec>; readonly annotations: Readonly<Record<string, string>> } | undefined {
		const { vms, vmis } = this.#deps.sources;
		const vmi: VirtualMachineInstance | undefined = vmis.objects.get(name);
		if (vmi) return { spec: vmi.spec, annotations: vmi.metadata.annotations ?? {} };
		const template = kind === 'VirtualMachine' ? vms.objects.get(name)?.spec.template : undefined;
		return template && { spec: template.spec ?? {}, annotations: template.metadata?.annotations ?? {} };
	}

	async #annotate({ name, uid }: Lease, text: string | null, signal: Signal): Promise<void> {
		const metadata = { uid, annotations: { [annotations.deviceRules]: text } };
		try {
			await this.#deps.client.patch(ipResource, { name }, 'application/merge-patch+json', { metadata }, { signal });
		} catch (error) {
			if (!isCoded(error, 'KUBE_NOT_FOUND') && !isCoded(error, 'KUBE_CONFLICT')) throw error;
		}
	}

	/** `undefined` for a machine that is on the switch. */
	async #tell(owner: LeaseOwnerObject, condition: Omit<Condition, 'lastTransitionTime'> | undefined, signal: Signal): Promise<void> {
		const { client, clock, events } = this.#deps;
		const before = owner.object.status?.conditions ?? [];
		const own = findCondition(before, rulesEnforced);
		if (!condition && !own) return;
		const conditions = condition ? setCondition(before, condition, clock.now()) : before.filter((one) => one !== own);
		if (conditions === before) return;
		const isThere = await patchConditions(client, owner, { type: rulesEnforced, conditions, signal });
		if (!isThere || condition?.status !== 'False') return;
		events.record(owner.resource, owner.object, { type: 'Warning', reason: condition.reason ?? '', message: condition.message ?? '' });
	}
}

function conditionOf(parent: string, rules: PortRules, isTooLong: boolean): Omit<Condition, 'lastTransitionTime'> {
	const where = `the machine is on ${parent}, past the switch: ${absent}`;
	if (isTooLong) {
		const why = `its rules take more than ${longestRules} characters, so those that it had are kept, or nothing passes (fix: use fewer or wider selectors)`;
		return { type: rulesEnforced, status: 'False', reason: 'TooManyRules', message: `${why}; ${where}` };
	}
	const missing = unenforcedRules(rules);
	if (missing.length === 0) return { type: rulesEnforced, status: 'True', reason: 'Enforced', message: where };
	const named = missing.slice(0, mostNamed).map(sentenceOf).join('; ');
	const more = missing.length > mostNamed ? `; and ${missing.length - mostNamed} more` : '';
	return { type: rulesEnforced, status: 'False', reason: 'NotEnforceable', message: `not enforced as written: ${named}${more}; ${where}` };
}

function sentenceOf({ by, path, why }: Unenforced): string {
	return `${[by === '' ? 'a row of the Northbound database' : by, path].filter((part) => part !== '').join(' ')} (${why})`;
}
