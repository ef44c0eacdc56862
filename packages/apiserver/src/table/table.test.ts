import { describe, expect, it } from 'vitest';
import { toTable } from './index.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'x', namespace: 'ns', creationTimestamp: '2026-01-01T00:00:00Z' };

/** The cells of one object by column name, wide ones included. */
function cells(group: string, kind: string, object: object): Record<string, unknown> {
	const table = toTable({ group, version: 'v1', kind }, [{ metadata, ...object }], now);
	return Object.fromEntries(table.columnDefinitions.map((column, index) => [column.name, table.rows[0]?.cells[index]]));
}
const pod = (status: object, spec: object = {}, meta: object = {}): Record<string, unknown> =>
	cells('', 'Pod', { metadata: { ...metadata, ...meta }, spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec }, status });

describe('toTable', () => {
	it('is a meta.k8s.io/v1 Table with the metadata of each object', () => {
		expect(toTable({ group: 'x', version: 'v1', kind: 'X' }, [{ metadata, spec: { a: 1 } }], now)).toEqual({
			kind: 'Table',
			apiVersion: 'meta.k8s.io/v1',
			metadata: {},
			columnDefinitions: [
				{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
				{ name: 'Age', type: 'string', format: '', description: '', priority: 0 },
			],
			rows: [{ cells: ['x', '60m'], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } }],
		});
	});

	it('includes what includeObject asks for', () => {
		const object = { metadata, spec: {} };
		const kind = { group: 'x', version: 'v1', kind: 'X' };
		expect(toTable(kind, [object], now, 'Object').rows[0]?.object).toBe(object);
		expect(toTable(kind, [object], now, 'None').rows[0]).toEqual({ cells: ['x', '60m'] });
	});

	it('shows the declared columns of a custom resource', () => {
		const columns = [
			{ name: 'CIDR', type: 'string', jsonPath: '.spec.cidrBlock' },
			{ name: 'Used', type: 'integer', jsonPath: '.status.used', priority: 1, description: 'Addresses in use.' },
			{ name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
			{ name: 'Default', type: 'boolean', jsonPath: '.spec.default' },
			{ name: 'Vpcs', type: 'string', jsonPath: '.spec.vpcs' },
			{ name: 'Since', type: 'date', jsonPath: '.status.since' },
			{ name: 'Wrong', type: 'integer', jsonPath: '.spec.cidrBlock' },
			{ name: 'Bad', type: 'string', jsonPath: '.spec..x' },
		];
		const object = {
			metadata,
			spec: { cidrBlock: '10.0.0.0/8', vpcs: ['a'], default: false },
			status: {
				used: 3,
				conditions: [
					{ type: 'Other', status: 'Unknown' },
					{ type: 'Ready', status: 'True' },
				],
				since: '2026-01-01T00:59:00Z',
			},
		};
		const table = toTable({ group: 'k', version: 'v1', kind: 'Subnet', columns }, [object, { metadata }], now);
		expect(table.rows.map((row) => row.cells)).toEqual([
			['x', '10.0.0.0/8', 3, 'True', false, '["a"]', '60s', null, null],
			['x', null, null, null, null, null, null, null, null],
		]);
		expect(table.columnDefinitions[2]).toEqual({
			name: 'Used',
			type: 'integer',
			format: '',
			description: 'Addresses in use.',
			priority: 1,
		});
	});
});

describe('pods', () => {
	const running = { ready: true, restartCount: 0, state: { running: {} } };

	it('counts ready containers and shows where the pod runs', () => {
		const status = {
			phase: 'Running',
			podIP: '10.0.0.1',
			podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
			containerStatuses: [running, { ...running, ready: false }],
		};
		expect(pod(status, { nodeName: 'n1' })).toEqual({
			Name: 'x',
			Ready: '1/2',
			Status: 'Running',
			Restarts: '0',
			Age: '60m',
			IP: '10.0.0.1',
			Node: 'n1',
			'Nominated Node': '<none>',
			'Readiness Gates': '<none>',
		});
	});

	it.each<[string, object, object]>([
		['Pending', { phase: 'Pending' }, {}],
		['Evicted', { phase: 'Failed', reason: 'Evicted' }, {}],
		['SchedulingGated', { phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] }, {}],
		['ContainerCreating', { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] }, {}],
		['CrashLoopBackOff', { phase: 'Running', containerStatuses: [running, { state: { waiting: { reason: 'CrashLoopBackOff' } } }] }, {}],
		['Error', { phase: 'Failed', containerStatuses: [{ state: { terminated: { reason: 'Error', exitCode: 1 } } }] }, {}],
		['ExitCode:3', { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] }, {}],
		['Signal:9', { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 137, signal: 9 } } }] }, {}],
		['NotReady', { phase: 'Running', containerStatuses: [running, { state: { terminated: { reason: 'Completed', exitCode: 0 } } }] }, {}],
		['Terminating', { phase: 'Running', containerStatuses: [running] }, { deletionTimestamp: '2026-01-01T00:00:00Z' }],
		['Unknown', { phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }],
		[
			'Completed',
			{ phase: 'Succeeded', containerStatuses: [{ state: { terminated: { reason: 'Completed', exitCode: 0 } } }] },
			{ deletionTimestamp: '2026-01-01T00:00:00Z' },
		],
	])('%s', (expected, status, meta) => {
		expect(pod(status, {}, meta).Status).toBe(expected);
	});

	it('shows the first init container that has work left', () => {
		const initContainers = [{ name: 'i1' }, { name: 'i2' }];
		const done = { name: 'i1', state: { terminated: { exitCode: 0 } } };
		const init = (state: object): unknown =>
			pod({ phase: 'Pending', initContainerStatuses: [done, { name: 'i2', state }] }, { initContainers }).Status;
		expect(init({ waiting: { reason: 'PodInitializing' } })).toBe('Init:1/2');
		expect(init({ waiting: { reason: 'ErrImagePull' } })).toBe('Init:ErrImagePull');
		expect(init({ terminated: { exitCode: 2, reason: 'Error' } })).toBe('Init:Error');
		expect(init({ terminated: { exitCode: 2 } })).toBe('Init:ExitCode:2');
	});

	it('counts a started sidecar among the containers', () => {
		const initContainers = [{ name: 's', restartPolicy: 'Always' }];
		const status = {
			phase: 'Running',
			initContainerStatuses: [{ name: 's', ready: true, started: true, restartCount: 2, state: { running: {} } }],
			containerStatuses: [running, running],
		};
		expect(pod(status, { initContainers })).toMatchObject({ Ready: '3/3', Status: 'Running', Restarts: '2' });
	});

	it('says when the last restart was', () => {
		const restarted = (restartCount: number, finishedAt: string): object => ({
			...running,
			restartCount,
			lastState: { terminated: { finishedAt } },
		});
		const status = { phase: 'Running', containerStatuses: [restarted(1, '2026-01-01T00:30:00Z'), restarted(2, '2026-01-01T00:55:00Z')] };
		expect(pod(status).Restarts).toBe('3 (5m ago)');
	});

	it('counts readiness gates', () => {
		const spec = { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] };
		expect(pod({ conditions: [{ type: 'a', status: 'True' }] }, spec)['Readiness Gates']).toBe('1/2');
	});
});

describe('other built-in kinds', () => {
	it.each<[string, string, object, object]>([
		[
			'',
			'Node',
			{
				metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' } },
				spec: { unschedulable: true },
				status: {
					conditions: [{ type: 'Ready', status: 'True' }],
					addresses: [{ type: 'InternalIP', address: '1.1.1.1' }],
					nodeInfo: { kubeletVersion: 'v1.32.0' },
				},
			},
			{
				Status: 'Ready,SchedulingDisabled',
				Roles: 'control-plane,worker',
				Version: 'v1.32.0',
				'Internal-IP': '1.1.1.1',
				'External-IP': '<none>',
				'OS-Image': '<unknown>',
			},
		],
		['', 'Node', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }, { Status: 'NotReady', Roles: '<none>' }],
		['', 'Node', {}, { Status: 'Unknown' }],
		[
			'',
			'Service',
			{
				spec: {
					type: 'NodePort',
					clusterIP: '10.96.0.1',
					ports: [
						{ port: 80, nodePort: 30080, protocol: 'TCP' },
						{ port: 53, protocol: 'UDP' },
					],
					selector: { b: '2', a: '1' },
				},
			},
			{ Type: 'NodePort', 'Cluster-IP': '10.96.0.1', 'External-IP': '<none>', 'Port(s)': '80:30080/TCP,53/UDP', Selector: 'a=1,b=2' },
		],
		['', 'Service', { spec: { type: 'LoadBalancer' } }, { 'External-IP': '<pending>', 'Port(s)': '<none>', Selector: '<none>' }],
		[
			'',
			'Service',
			{ spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }, { hostname: 'a.b' }] } } },
			{ 'External-IP': '1.1.1.1,a.b' },
		],
		['', 'Service', { spec: { type: 'ExternalName', externalName: 'a.b' } }, { 'Cluster-IP': '<none>', 'External-IP': 'a.b' }],
		[
			'',
			'Endpoints',
			{ subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: 'fd00::1' }], ports: [{ port: 80 }, { port: 81 }] }] },
			{ Endpoints: '1.1.1.1:80,[fd00::1]:80,1.1.1.1:81 + 1 more...' },
		],
		['', 'Endpoints', {}, { Endpoints: '<none>' }],
		[
			'discovery.k8s.io',
			'EndpointSlice',
			{ addressType: 'IPv4', ports: [{ port: 80 }, {}], endpoints: [{ addresses: ['1.1.1.1'] }] },
			{ AddressType: 'IPv4', Ports: '80,*', Endpoints: '1.1.1.1' },
		],
		['', 'Namespace', { status: { phase: 'Active' } }, { Status: 'Active' }],
		['', 'ConfigMap', { data: { a: '1' }, binaryData: { b: 'AA==' } }, { Data: 2 }],
		['', 'Secret', { type: 'Opaque', data: { a: 'AA==' } }, { Type: 'Opaque', Data: 1 }],
		['', 'ServiceAccount', {}, { Secrets: 0 }],
		['coordination.k8s.io', 'Lease', { spec: { holderIdentity: 'me' } }, { Holder: 'me' }],
		[
			'networking.k8s.io',
			'NetworkPolicy',
			{
				spec: {
					podSelector: {
						matchLabels: { a: '1' },
						matchExpressions: [
							{ key: 'k', operator: 'In', values: ['x', 'y'] },
							{ key: 'e', operator: 'Exists' },
							{ key: 'n', operator: 'DoesNotExist' },
						],
					},
				},
			},
			{ 'Pod-Selector': 'a=1,k in (x,y),e,!n' },
		],
		['networking.k8s.io', 'NetworkPolicy', { spec: { podSelector: {} } }, { 'Pod-Selector': '<none>' }],
		[
			'apps',
			'Deployment',
			{
				spec: {
					replicas: 3,
					selector: { matchLabels: { a: '1' } },
					template: {
						spec: {
							containers: [
								{ name: 'c', image: 'i' },
								{ name: 'd', image: 'j' },
							],
						},
					},
				},
				status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
			},
			{ Ready: '2/3', 'Up-to-date': 3, Available: 1, Containers: 'c,d', Images: 'i,j', Selector: 'a=1' },
		],
		['apps', 'DaemonSet', { status: { desiredNumberScheduled: 3, numberReady: 2 } }, { Desired: 3, Ready: 2, 'Node Selector': '<none>' }],
		[
			'rbac.authorization.k8s.io',
			'RoleBinding',
			{
				roleRef: { kind: 'Role', name: 'r' },
				subjects: [
					{ kind: 'User', name: 'u' },
					{ kind: 'ServiceAccount', namespace: 'n', name: 's' },
				],
			},
			{ Role: 'Role/r', Users: 'u', Groups: '', ServiceAccounts: 'n/s' },
		],
		['apps', 'StatefulSet', { spec: { replicas: 1 } }, { Ready: '0/1' }],
		['apiextensions.k8s.io', 'CustomResourceDefinition', {}, { 'Created At': '2026-01-01T00:00:00Z' }],
		[
			'events.k8s.io',
			'Event',
			{
				note: 'm',
				deprecatedCount: 2,
				deprecatedFirstTimestamp: '2026-01-01T00:59:00Z',
				regarding: { kind: 'Pod', name: 'p' },
				deprecatedSource: { component: 'c' },
			},
			{ 'Last Seen': '60s', Object: 'pod/p', Message: 'm', Count: 2, 'First Seen': '60s', Source: 'c' },
		],
		[
			'',
			'Event',
			{
				type: 'Warning',
				reason: 'R',
				message: ' m\n',
				count: 4,
				firstTimestamp: '2026-01-01T00:00:00Z',
				lastTimestamp: '2026-01-01T00:59:00Z',
				involvedObject: { kind: 'Pod', name: 'p' },
				source: { component: 'c', host: 'h' },
			},
			{ 'Last Seen': '60s', Type: 'Warning', Reason: 'R', Object: 'pod/p', Message: 'm', Count: 4, 'First Seen': '60m', Source: 'c, h' },
		],
		[
			'',
			'Event',
			{ eventTime: '2026-01-01T00:59:00.000000Z', involvedObject: { kind: 'Node' }, reportingComponent: 'r' },
			{ 'Last Seen': '60s', Object: 'node', Count: 1, Source: 'r' },
		],
	])('%s/%s', (group, kind, object, expected) => {
		expect(cells(group, kind, object)).toMatchObject(expected);
	});
});
