import { type Condition, type Node, type NodeStatus, setCondition } from '@tapestry/kube';

export interface NodeFacts {
	readonly name: string;
	/** The node's addresses, the preferred one first. */
	readonly ips: readonly string[];
	readonly cpus: number;
	readonly memoryBytes: number;
	readonly kernelVersion: string;
	readonly osImage: string;
}

/** How many pods a node takes. Kubernetes' default is 110; here a pod is but a namespace and a small process. */
const maxPods = 250;

/** The Node object that a kubelet registers. */
export function newNode({ name }: NodeFacts): Node {
	const os = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
	return { metadata: { name, labels: { 'kubernetes.io/hostname': name, ...os } }, spec: {} };
}

/** The status that a kubelet keeps. `before` is the API's; `now` is milliseconds since the epoch. */
export function nodeStatus(facts: NodeFacts, before: NodeStatus | undefined, now: number): NodeStatus {
	const resources = {
		cpu: String(facts.cpus),
		memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
		pods: String(maxPods),
	};
	const ready: Omit<Condition, 'lastTransitionTime'> = {
		type: 'Ready',
		status: 'True',
		reason: 'KubeletReady',
		message: 'kubelet is posting ready status',
	};
	return {
		addresses: [...facts.ips.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: facts.name }],
		capacity: resources,
		allocatable: resources,
		conditions: setCondition(before?.conditions, ready, now),
		...nodeInfo(facts),
	};
}

/** NodeSystemInfo, as `kubectl get nodes -o wide` shows it. */
function nodeInfo({ kernelVersion, osImage }: NodeFacts): object {
	return {
		nodeInfo: {
			architecture: 'amd64',
			operatingSystem: 'linux',
			kernelVersion,
			osImage,
			kubeletVersion: 'v1.30.0-tapestry',
			kubeProxyVersion: '',
			containerRuntimeVersion: 'tapestry://lab',
			machineID: '',
			systemUUID: '',
			bootID: '',
		},
	};
}
