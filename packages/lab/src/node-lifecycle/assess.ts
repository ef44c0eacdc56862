import { type Condition, type Node, type Pod, setCondition, type Taint, timestamp, tolerates } from '@tapestry/kube';

/** What is known of one node. Times are in milliseconds. */
export interface NodeState {
	/** Undefined when there is no Node object. */
	readonly node: Node | undefined;
	/** How long its kubelet has not renewed its lease, or how long the Node object has been missing. */
	readonly silentMs: number;
	/** Pods with this node's name in spec.nodeName. */
	readonly pods: readonly Pod[];
}

export interface Limits {
	/** A node that was silent for so long is unreachable; pods of a node that was missing for so long are removed. */
	readonly graceMs: number;
	/** Pods are evicted from a node that was unreachable for so long, unless they tolerate it otherwise. */
	readonly evictMs: number;
}

export interface Assessment {
	/** The conditions that the node should have; absent when they are right. */
	readonly conditions?: readonly Condition[];
	/** The taints that the node should have; absent when they are right. */
	readonly taints?: readonly Taint[];
	/** Pods to delete and let their kubelet end them, should it come back. */
	readonly evict: readonly Pod[];
	/** Pods to remove at once: no kubelet will ever end them. */
	readonly remove: readonly Pod[];
	/** When to look again if nothing happens. */
	readonly againMs?: number;
}

/** Source: Kubernetes documentation, "Taints and Tolerations", taint based evictions. */
const unreachable = 'node.kubernetes.io/unreachable';

/** The conditions that a kubelet reports and nobody can know when it is silent. Source: k8s.io/kubernetes node_lifecycle_controller.go. */
const reported = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** `now` is milliseconds since the epoch: the taint's age outlives this process, so it is told by the wall clock. */
export function assess(state: NodeState, limits: Limits, now: number): Assessment {
	const { node, silentMs, pods } = state;
	const waitMs = limits.graceMs - silentMs;
	if (node === undefined) {
		if (pods.length === 0) return { evict: [], remove: [] };
		return waitMs > 0 ? { evict: [], remove: [], againMs: waitMs } : { evict: [], remove: pods };
	}
	return waitMs > 0 ? reachable(node, waitMs) : silent(node, pods, limits.evictMs, now);
}

/** Its kubelet reports its own conditions again; only the taints are ours to take back. */
function reachable(node: Node, againMs: number): Assessment {
	const taints = node.spec?.taints ?? [];
	const kept = taints.filter(({ key }) => key !== unreachable);
	return { evict: [], remove: [], againMs, ...(kept.length === taints.length ? {} : { taints: kept }) };
}

function silent(node: Node, pods: readonly Pod[], evictMs: number, now: number): Assessment {
	const before = node.status?.conditions ?? [];
	const text = { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' } as const;
	const types = reported.filter((type) => type === 'Ready' || before.some((condition) => condition.type === type));
	const conditions = types.reduce((current, type) => setCondition(current, { type, ...text }, now), before);

	const taints = node.spec?.taints ?? [];
	const own = (effect: Taint['effect']): Taint | undefined => taints.find((taint) => taint.key === unreachable && taint.effect === effect);
	const missing = (['NoSchedule', 'NoExecute'] as const)
		.filter((effect) => own(effect) === undefined)
		.map((effect): Taint => ({ key: unreachable, effect, timeAdded: timestamp(now) }));

	const since = Date.parse(own('NoExecute')?.timeAdded ?? timestamp(now));
	const evictions = pods
		.filter((pod) => pod.metadata.deletionTimestamp === undefined)
		.map((pod) => ({ pod, inMs: since + patienceOf(pod, evictMs) - now }));
	const later = evictions.filter(({ inMs }) => inMs > 0 && Number.isFinite(inMs)).map(({ inMs }) => inMs);
	return {
		...(conditions === before ? {} : { conditions }),
		...(missing.length === 0 ? {} : { taints: [...taints, ...missing] }),
		evict: evictions.filter(({ inMs }) => inMs <= 0).map(({ pod }) => pod),
		remove: [],
		...(later.length === 0 ? {} : { againMs: Math.min(...later) }),
	};
}

/** How long a pod stays on an unreachable node, in milliseconds: its own toleration counts, else the default. */
function patienceOf(pod: Pod, evictMs: number): number {
	const own = (pod.spec?.tolerations ?? []).filter((one) => tolerates(one, { key: unreachable, effect: 'NoExecute' }));
	if (own.length === 0) return evictMs;
	return Math.min(...own.map(({ tolerationSeconds = Number.POSITIVE_INFINITY }) => tolerationSeconds * 1000));
}
