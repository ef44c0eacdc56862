import type { Resource } from './types.ts';

const core = (plural: string, kind: string, namespaced = true): Resource => ({ group: '', version: 'v1', plural, kind, namespaced });

export const namespaces = core('namespaces', 'Namespace', false);
export const nodes = core('nodes', 'Node', false);
export const pods = core('pods', 'Pod');
export const services = core('services', 'Service');
export const events = core('events', 'Event');
export const configMaps = core('configmaps', 'ConfigMap');

const apps = (plural: string, kind: string): Resource => ({ group: 'apps', version: 'v1', plural, kind, namespaced: true });

export const deployments = apps('deployments', 'Deployment');
export const replicaSets = apps('replicasets', 'ReplicaSet');
export const statefulSets = apps('statefulsets', 'StatefulSet');

export const endpointSlices: Resource = {
	group: 'discovery.k8s.io',
	version: 'v1',
	plural: 'endpointslices',
	kind: 'EndpointSlice',
	namespaced: true,
};

export const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true };

export const customResourceDefinitions: Resource = {
	group: 'apiextensions.k8s.io',
	version: 'v1',
	plural: 'customresourcedefinitions',
	kind: 'CustomResourceDefinition',
	namespaced: false,
};
