import type { Condition } from './conditions.ts';
import type { KubeObject } from './types.ts';

// The fields of builtin kinds that Tapestry reads or writes; others travel along untouched. Source: Kubernetes API reference, v1.

export type Namespace = KubeObject<unknown, { readonly phase?: 'Active' | 'Terminating' }>;

export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

export interface Taint {
	readonly key: string;
	readonly value?: string;
	readonly effect: TaintEffect;
	/** RFC 3339. */
	readonly timeAdded?: string;
}

export interface NodeSpec {
	readonly unschedulable?: boolean;
	readonly taints?: readonly Taint[];
	readonly podCIDR?: string;
	readonly podCIDRs?: readonly string[];
}

export interface NodeStatus {
	readonly addresses?: readonly { readonly type: string; readonly address: string }[];
	readonly conditions?: readonly Condition[];
	readonly capacity?: Readonly<Record<string, string>>;
	readonly allocatable?: Readonly<Record<string, string>>;
}

export type Node = KubeObject<NodeSpec, NodeStatus>;

export interface Toleration {
	/** Empty with `Exists` matches every taint. */
	readonly key?: string;
	/** @default Equal */
	readonly operator?: 'Equal' | 'Exists';
	readonly value?: string;
	/** Empty matches every effect. */
	readonly effect?: TaintEffect;
	readonly tolerationSeconds?: number;
}

export interface NodeSelectorRequirement {
	readonly key: string;
	readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
	readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
	readonly matchExpressions?: readonly NodeSelectorRequirement[];
	readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface Affinity {
	readonly nodeAffinity?: {
		readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] };
	};
}

export interface ContainerPort {
	readonly name?: string;
	readonly containerPort: number;
	readonly hostPort?: number;
	readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
}

export interface Container {
	readonly name: string;
	readonly image?: string;
	readonly command?: readonly string[];
	readonly args?: readonly string[];
	readonly ports?: readonly ContainerPort[];
	readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

export interface PodSpec {
	readonly nodeName?: string;
	readonly hostNetwork?: boolean;
	readonly runtimeClassName?: string;
	readonly hostname?: string;
	/** With `hostname`: names the headless service that gives the pod a name of its own. */
	readonly subdomain?: string;
	readonly schedulerName?: string;
	readonly nodeSelector?: Readonly<Record<string, string>>;
	readonly affinity?: Affinity;
	readonly tolerations?: readonly Toleration[];
	readonly containers: readonly Container[];
	readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
	readonly terminationGracePeriodSeconds?: number;
}

export interface ContainerStatus {
	readonly name: string;
	readonly ready: boolean;
	readonly restartCount: number;
	readonly image?: string;
	readonly imageID?: string;
	readonly started?: boolean;
	readonly state?: {
		readonly waiting?: { readonly reason?: string; readonly message?: string };
		readonly running?: { readonly startedAt?: string };
		readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string; readonly finishedAt?: string };
	};
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface PodStatus {
	readonly phase?: PodPhase;
	readonly reason?: string;
	readonly message?: string;
	readonly hostIP?: string;
	readonly podIP?: string;
	/** The first of each family, `podIP` first. */
	readonly podIPs?: readonly { readonly ip: string }[];
	readonly startTime?: string;
	readonly conditions?: readonly Condition[];
	readonly containerStatuses?: readonly ContainerStatus[];
}

export type Pod = KubeObject<PodSpec, PodStatus>;

export interface ServicePort {
	readonly name?: string;
	readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
	readonly port: number;
	readonly targetPort?: number | string;
	readonly nodePort?: number;
}

export interface ServiceSpec {
	readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
	readonly selector?: Readonly<Record<string, string>>;
	readonly ports?: readonly ServicePort[];
	/** `None` for a headless service. */
	readonly clusterIP?: string;
	readonly clusterIPs?: readonly string[];
	readonly ipFamilies?: readonly ('IPv4' | 'IPv6')[];
	readonly ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';
	readonly publishNotReadyAddresses?: boolean;
	readonly sessionAffinity?: 'None' | 'ClientIP';
	readonly externalTrafficPolicy?: 'Cluster' | 'Local';
	readonly internalTrafficPolicy?: 'Cluster' | 'Local';
	readonly externalIPs?: readonly string[];
	readonly loadBalancerIP?: string;
	readonly loadBalancerClass?: string;
	readonly healthCheckNodePort?: number;
}

export interface ServiceStatus {
	readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] };
	readonly conditions?: readonly Condition[];
}

export interface LoadBalancerIngress {
	readonly ip?: string;
	readonly hostname?: string;
}

export type Service = KubeObject<ServiceSpec, ServiceStatus>;

export interface Endpoint {
	readonly addresses: readonly string[];
	readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
	readonly nodeName?: string;
	readonly hostname?: string;
	readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string; readonly uid?: string };
}

/** Its fields stand at the top level, there is no spec. The label `kubernetes.io/service-name` names the service. */
export interface EndpointSlice extends KubeObject {
	readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
	readonly endpoints?: readonly Endpoint[];
	readonly ports?: readonly { readonly name?: string; readonly protocol?: 'TCP' | 'UDP' | 'SCTP'; readonly port?: number }[];
}

export interface LeaseSpec {
	/** Absent or empty: nobody holds the lease. */
	readonly holderIdentity?: string;
	readonly leaseDurationSeconds?: number;
	/** MicroTime: RFC 3339 with six decimals. */
	readonly acquireTime?: string;
	readonly renewTime?: string;
	readonly leaseTransitions?: number;
}

export type Lease = KubeObject<LeaseSpec>;

/** The object that an event is about. */
export interface ObjectReference {
	readonly apiVersion?: string;
	readonly kind?: string;
	readonly namespace?: string;
	readonly name?: string;
	readonly uid?: string;
	readonly resourceVersion?: string;
}

export type EventType = 'Normal' | 'Warning';

/** core/v1 Event: its fields stand at the top level. */
export interface Event extends KubeObject {
	readonly involvedObject: ObjectReference;
	readonly type?: EventType;
	readonly reason?: string;
	readonly message?: string;
	readonly source?: { readonly component?: string; readonly host?: string };
	readonly count?: number;
	readonly firstTimestamp?: string;
	readonly lastTimestamp?: string;
}

export interface CustomResourceDefinition extends KubeObject<{ readonly group?: string }, { readonly conditions?: readonly Condition[] }> {}
