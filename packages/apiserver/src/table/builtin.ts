import { valueAt } from '../objects.ts';
import { ageColumn, type Column, column, integer, nameColumn } from './column.ts';
import { eventColumns } from './events.ts';
import { formatSelector } from './labels.ts';
import { nodeColumns } from './nodes.ts';
import { podColumns } from './pods.ts';
import { listAt, mapAt, textAt } from './read.ts';
import { bindingColumns } from './roles.ts';
import { endpointSliceColumns, endpointsColumns, serviceColumns } from './services.ts';
import { daemonSetColumns, deploymentColumns, replicaSetColumns, statefulSetColumns } from './workloads.ts';

const size = (object: unknown, key: string): number => Object.keys(mapAt(object, key)).length;

const createdAtColumns: readonly Column[] = [
	nameColumn,
	column('Created At', (object) => textAt(object, 'metadata.creationTimestamp'), { type: 'date' }),
];

const webhookColumns: readonly Column[] = [nameColumn, integer('Webhooks', (list) => listAt(list, 'webhooks').length), ageColumn];

/** By `group/Kind`: the columns that kubernetes/pkg/printers/internalversion gives, with the names that kubectl prints in capitals. */
export const builtinColumns: ReadonlyMap<string, readonly Column[]> = new Map([
	['/Pod', podColumns],
	['/Node', nodeColumns],
	['/Service', serviceColumns],
	['/Endpoints', endpointsColumns],
	['/Event', eventColumns],
	['events.k8s.io/Event', eventColumns],
	['/Namespace', [nameColumn, column('Status', (namespace) => textAt(namespace, 'status.phase')), ageColumn]],
	['/ConfigMap', [nameColumn, integer('Data', (map) => size(map, 'data') + size(map, 'binaryData')), ageColumn]],
	[
		'/Secret',
		[nameColumn, column('Type', (secret) => textAt(secret, 'type')), integer('Data', (secret) => size(secret, 'data')), ageColumn],
	],
	['/ServiceAccount', [nameColumn, integer('Secrets', (account) => listAt(account, 'secrets').length), ageColumn]],
	['discovery.k8s.io/EndpointSlice', endpointSliceColumns],
	['coordination.k8s.io/Lease', [nameColumn, column('Holder', (lease) => textAt(lease, 'spec.holderIdentity')), ageColumn]],
	[
		'networking.k8s.io/NetworkPolicy',
		[nameColumn, column('Pod-Selector', (policy) => formatSelector(valueAt(policy, 'spec.podSelector'))), ageColumn],
	],
	['apps/Deployment', deploymentColumns],
	['apps/StatefulSet', statefulSetColumns],
	['apps/ReplicaSet', replicaSetColumns],
	['apps/DaemonSet', daemonSetColumns],
	['rbac.authorization.k8s.io/Role', createdAtColumns],
	['rbac.authorization.k8s.io/ClusterRole', createdAtColumns],
	['rbac.authorization.k8s.io/RoleBinding', bindingColumns],
	['rbac.authorization.k8s.io/ClusterRoleBinding', bindingColumns],
	['apiextensions.k8s.io/CustomResourceDefinition', createdAtColumns],
	['admissionregistration.k8s.io/MutatingWebhookConfiguration', webhookColumns],
	['admissionregistration.k8s.io/ValidatingWebhookConfiguration', webhookColumns],
]);
