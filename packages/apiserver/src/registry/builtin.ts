import { apiVersionOf } from '@tapestry/kube';
import { compileSchema, type JsonObject } from '../schema/index.ts';
import { customResourceDefinitionStrategy } from './crd.ts';
import { crdSchema } from './crd-schema.ts';
import { eventConversion, eventStrategy } from './event.ts';
import type { Kind, Served, Strategy, Subresource } from './kind.ts';
import { podStrategy } from './pod.ts';
import { serviceStrategy } from './service.ts';
import {
	configMapStrategy,
	endpointSliceStrategy,
	leaseStrategy,
	namespaceStrategy,
	networkPolicyStrategy,
	nodeStrategy,
	secretStrategy,
	workloadStrategy,
} from './strategies.ts';
import { webhookConfigurationStrategy } from './webhook-configuration.ts';
import { mutatingConfigurationSchema, validatingConfigurationSchema } from './webhook-schema.ts';

interface Definition {
	readonly apiVersion: string;
	readonly kind: string;
	readonly plural: string;
	readonly shortNames?: readonly string[];
	readonly categories?: readonly string[];
	readonly cluster?: true;
	readonly status?: true;
	readonly subresources?: readonly Subresource[];
	readonly strategy?: Strategy;
	/** Of kinds that typed/ has no types of. */
	readonly schema?: JsonObject;
	/** Other groups or versions of the same objects. */
	readonly also?: readonly Served[];
}

const none: Strategy = {};
const rbac: Strategy = { names: 'path' };
const rollingUpdate = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };
const deploymentDefaults = { replicas: 1, strategy: rollingUpdate, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 };
const statefulSetDefaults = {
	replicas: 1,
	podManagementPolicy: 'OrderedReady',
	updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
	revisionHistoryLimit: 10,
	serviceName: '',
};
const daemonSetDefaults = {
	updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
	revisionHistoryLimit: 10,
};
const connect = ['create', 'get'];
const scale: Subresource = { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] };

const definitions: readonly Definition[] = [
	{
		apiVersion: 'v1',
		kind: 'Namespace',
		plural: 'namespaces',
		shortNames: ['ns'],
		cluster: true,
		status: true,
		subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
		strategy: namespaceStrategy,
	},
	{ apiVersion: 'v1', kind: 'Node', plural: 'nodes', shortNames: ['no'], cluster: true, status: true, strategy: nodeStrategy },
	{
		apiVersion: 'v1',
		kind: 'Pod',
		plural: 'pods',
		shortNames: ['po'],
		categories: ['all'],
		status: true,
		subresources: [
			{ name: 'binding', kind: 'Binding', verbs: ['create'] },
			{ name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
			{ name: 'exec', kind: 'PodExecOptions', verbs: connect },
			{ name: 'attach', kind: 'PodAttachOptions', verbs: connect },
			{ name: 'portforward', kind: 'PodPortForwardOptions', verbs: connect },
			{ name: 'log', kind: 'Pod', verbs: ['get'] },
		],
		strategy: podStrategy,
	},
	{
		apiVersion: 'v1',
		kind: 'Service',
		plural: 'services',
		shortNames: ['svc'],
		categories: ['all'],
		status: true,
		strategy: serviceStrategy,
	},
	{ apiVersion: 'v1', kind: 'Endpoints', plural: 'endpoints', shortNames: ['ep'], strategy: none },
	{ apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'], strategy: configMapStrategy },
	{ apiVersion: 'v1', kind: 'Secret', plural: 'secrets', strategy: secretStrategy },
	{ apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', shortNames: ['sa'], strategy: { returnsDeleted: true } },
	{
		apiVersion: 'v1',
		kind: 'Event',
		plural: 'events',
		shortNames: ['ev'],
		strategy: eventStrategy,
		also: [{ group: 'events.k8s.io', version: 'v1', status: false, subresources: [], convert: eventConversion }],
	},
	{ apiVersion: 'apps/v1', kind: 'ControllerRevision', plural: 'controllerrevisions' },
	{
		apiVersion: 'apps/v1',
		kind: 'DaemonSet',
		plural: 'daemonsets',
		shortNames: ['ds'],
		categories: ['all'],
		status: true,
		strategy: workloadStrategy(daemonSetDefaults),
	},
	{
		apiVersion: 'apps/v1',
		kind: 'Deployment',
		plural: 'deployments',
		shortNames: ['deploy'],
		categories: ['all'],
		status: true,
		subresources: [scale],
		strategy: workloadStrategy(deploymentDefaults),
	},
	{
		apiVersion: 'apps/v1',
		kind: 'ReplicaSet',
		plural: 'replicasets',
		shortNames: ['rs'],
		categories: ['all'],
		status: true,
		subresources: [scale],
		strategy: workloadStrategy({ replicas: 1 }),
	},
	{
		apiVersion: 'apps/v1',
		kind: 'StatefulSet',
		plural: 'statefulsets',
		shortNames: ['sts'],
		categories: ['all'],
		status: true,
		subresources: [scale],
		strategy: workloadStrategy(statefulSetDefaults),
	},
	{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', strategy: leaseStrategy },
	{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', strategy: endpointSliceStrategy },
	{
		apiVersion: 'networking.k8s.io/v1',
		kind: 'NetworkPolicy',
		plural: 'networkpolicies',
		shortNames: ['netpol'],
		strategy: networkPolicyStrategy,
	},
	// Stored for the manifests that bring them; nothing enforces them: every credential of this server is an administrator's.
	{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', plural: 'clusterroles', cluster: true, strategy: rbac },
	{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', cluster: true, strategy: rbac },
	{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', plural: 'roles', strategy: rbac },
	{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', plural: 'rolebindings', strategy: rbac },
	{
		apiVersion: 'apiextensions.k8s.io/v1',
		kind: 'CustomResourceDefinition',
		plural: 'customresourcedefinitions',
		shortNames: ['crd', 'crds'],
		categories: ['api-extensions'],
		cluster: true,
		status: true,
		strategy: customResourceDefinitionStrategy,
		schema: crdSchema,
	},
	{
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind: 'MutatingWebhookConfiguration',
		plural: 'mutatingwebhookconfigurations',
		categories: ['api-extensions'],
		cluster: true,
		strategy: webhookConfigurationStrategy,
		schema: mutatingConfigurationSchema,
	},
	{
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind: 'ValidatingWebhookConfiguration',
		plural: 'validatingwebhookconfigurations',
		categories: ['api-extensions'],
		cluster: true,
		strategy: webhookConfigurationStrategy,
		schema: validatingConfigurationSchema,
	},
];

/** The kinds that exist without a CustomResourceDefinition. */
export const builtinKinds: readonly Kind[] = definitions.map((definition) => {
	const [version, group = ''] = definition.apiVersion.split('/').reverse();
	const served = {
		group,
		version: version ?? '',
		status: definition.status ?? false,
		subresources: definition.subresources ?? [],
		...(definition.schema ? { schema: { source: definition.schema, compiled: compileSchema(definition.schema) } } : {}),
	};
	return {
		group,
		plural: definition.plural,
		singular: definition.kind.toLowerCase(),
		kind: definition.kind,
		listKind: `${definition.kind}List`,
		shortNames: definition.shortNames ?? [],
		categories: definition.categories ?? [],
		namespaced: !definition.cluster,
		resource: group ? `${definition.plural}.${group}` : definition.plural,
		strategy: definition.strategy ?? none,
		custom: false,
		storedAs: apiVersionOf(served),
		served: [served, ...(definition.also ?? [])],
	};
});
