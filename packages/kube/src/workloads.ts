import type { PodSpec } from './builtin.ts';
import type { Condition } from './conditions.ts';
import type { KubeObject, ObjectMeta } from './types.ts';

// The fields of apps/v1 that Tapestry's lab reads or writes. Source: Kubernetes API reference, apps/v1.

export interface PodTemplate {
	readonly metadata?: Partial<Pick<ObjectMeta, 'labels' | 'annotations' | 'finalizers'>>;
	readonly spec: PodSpec;
}

interface Selector {
	readonly matchLabels?: Readonly<Record<string, string>>;
}

export interface ReplicaSetSpec {
	readonly replicas?: number;
	readonly minReadySeconds?: number;
	readonly selector: Selector;
	readonly template: PodTemplate;
}

export interface ReplicaSetStatus {
	readonly replicas?: number;
	readonly fullyLabeledReplicas?: number;
	readonly readyReplicas?: number;
	readonly availableReplicas?: number;
	readonly observedGeneration?: number;
}

export type ReplicaSet = KubeObject<ReplicaSetSpec, ReplicaSetStatus>;

export interface DeploymentSpec extends ReplicaSetSpec {
	readonly paused?: boolean;
	readonly revisionHistoryLimit?: number;
	readonly strategy?: {
		readonly type?: 'RollingUpdate' | 'Recreate';
		/** Numbers of pods, or shares of `replicas` such as `25%`. */
		readonly rollingUpdate?: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string };
	};
}

export interface DeploymentStatus {
	readonly replicas?: number;
	readonly updatedReplicas?: number;
	readonly readyReplicas?: number;
	readonly availableReplicas?: number;
	readonly unavailableReplicas?: number;
	readonly observedGeneration?: number;
	readonly conditions?: readonly Condition[];
}

export type Deployment = KubeObject<DeploymentSpec, DeploymentStatus>;

export interface StatefulSetSpec extends ReplicaSetSpec {
	readonly serviceName?: string;
	readonly podManagementPolicy?: 'OrderedReady' | 'Parallel';
	readonly ordinals?: { readonly start?: number };
	readonly updateStrategy?: {
		readonly type?: 'RollingUpdate' | 'OnDelete';
		readonly rollingUpdate?: { readonly partition?: number };
	};
}

export interface StatefulSetStatus {
	readonly replicas?: number;
	readonly readyReplicas?: number;
	readonly availableReplicas?: number;
	readonly currentReplicas?: number;
	readonly updatedReplicas?: number;
	readonly currentRevision?: string;
	readonly updateRevision?: string;
	readonly observedGeneration?: number;
}

export type StatefulSet = KubeObject<StatefulSetSpec, StatefulSetStatus>;
