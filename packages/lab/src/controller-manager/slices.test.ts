import type { Endpoint, EndpointSlice, Pod, PodSpec, Service, ServiceSpec } from '@tapestry/kube';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSlices } from './slices.ts';

const service = (spec: Partial<ServiceSpec> = {}, labels: Record<string, string> = {}): Service => ({
	metadata: { name: 'web', namespace: 'shop', uid: 'u', labels },
	spec: { clusterIP: '10.96.0.9', selector: { app: 'web' }, ipFamilies: ['IPv4'], ports: [{ port: 80 }], ...spec },
});

interface PodFacts {
	readonly ips?: readonly string[];
	readonly ready?: boolean;
	readonly leaving?: boolean;
	readonly phase?: 'Running' | 'Failed';
	readonly created?: string;
	readonly labels?: Record<string, string>;
	readonly spec?: Partial<PodSpec>;
}

function pod(name: string, facts: PodFacts = {}): Pod {
	const { ips = ['10.16.0.2', 'fd00:10:16::2'], ready = true, leaving = false, phase = 'Running', created = '', labels, spec } = facts;
	const deletion = leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
	return {
		metadata: { name, namespace: 'shop', uid: `uid-${name}`, creationTimestamp: created, labels: labels ?? { app: 'web' }, ...deletion },
		spec: { nodeName: 'n1', containers: [], ...spec },
		status: { phase, podIPs: ips.map((ip) => ({ ip })), conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
	};
}

const numbered = (index: number): Pod => pod(`p${index}`, { ips: [`10.16.${index >> 8}.${index & 255}`] });
const addresses = (slices: readonly EndpointSlice[]): string[] =>
	slices.flatMap(({ endpoints = [] }) => endpoints.map((one) => one.addresses[0] ?? ''));

/** The slices after the changes. */
function apply(slices: readonly EndpointSlice[], { create, update, remove }: ReturnType<typeof decideSlices>): EndpointSlice[] {
	const gone = new Set([...update, ...remove].map(({ metadata }) => metadata.name));
	return [...slices.filter(({ metadata }) => !gone.has(metadata.name)), ...update, ...create];
}

describe('the slices of a service', () => {
	it('hold one endpoint for each pod and family, and say whose they are', () => {
		const { create } = decideSlices(service({ ipFamilies: ['IPv4', 'IPv6'] }, { team: 'a' }), [pod('p')], []);
		expect(create).toMatchObject([
			{
				metadata: {
					namespace: 'shop',
					labels: {
						team: 'a',
						'kubernetes.io/service-name': 'web',
						'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
					},
					ownerReferences: [{ kind: 'Service', name: 'web', uid: 'u' }],
				},
				addressType: 'IPv4',
				ports: [{ name: '', protocol: 'TCP', port: 80 }],
				endpoints: [
					{
						addresses: ['10.16.0.2'],
						conditions: { ready: true, serving: true, terminating: false },
						nodeName: 'n1',
						targetRef: { kind: 'Pod', namespace: 'shop', name: 'p', uid: 'uid-p' },
					},
				],
			},
			{ addressType: 'IPv6', endpoints: [{ addresses: ['fd00:10:16::2'] }] },
		]);
		expect(create[0]?.metadata.name).toMatch(/^web-\w{5}$/);
	});

	it('leave out pods that have ended, have no address or are not selected', () => {
		const pods = [
			pod('ended', { phase: 'Failed' }),
			pod('early', { ips: [] }),
			pod('other', { labels: { app: 'db' } }),
			{ ...pod('elsewhere'), metadata: { ...pod('elsewhere').metadata, namespace: 'b' } },
		];
		expect(decideSlices(service(), pods, [])).toEqual({ create: [], update: [], remove: [] });
	});

	it.each<[string, PodFacts, Partial<ServiceSpec>, Endpoint['conditions']]>([
		['a pod that is not ready', { ready: false }, {}, { ready: false, serving: false, terminating: false }],
		['a pod that leaves but serves', { leaving: true }, {}, { ready: false, serving: true, terminating: true }],
		['a published one', { ready: false }, { publishNotReadyAddresses: true }, { ready: true, serving: false, terminating: false }],
	])('tell of %s', (_, facts, spec, conditions) => {
		expect(decideSlices(service(spec), [pod('p', facts)], []).create[0]?.endpoints?.[0]?.conditions).toEqual(conditions);
	});

	it('count a machine once while its old launcher lingers, and name the launcher that answers', () => {
		const launchers = [
			pod('old-ready', { created: '1', leaving: true }),
			pod('new', { created: '2', ready: false }),
			pod('older', { created: '0', ready: false, leaving: true }),
		];
		const names = (pods: readonly Pod[]) =>
			decideSlices(service(), pods, []).create.flatMap(({ endpoints = [] }) => endpoints.map(({ targetRef }) => targetRef?.name));
		expect(names(launchers)).toEqual(['old-ready']);
		expect(names([...launchers, pod('newest', { created: '3' })])).toEqual(['newest']);
	});

	it('follow named target ports into each pod, apart where the numbers differ', () => {
		const named = (name: string, ip: string, containerPort: number) =>
			pod(name, { ips: [ip], spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort }] }] } });
		const spec = { ports: [{ name: 'web', port: 80, targetPort: 'http' }] };
		const { create } = decideSlices(
			service(spec),
			[named('a', '10.16.0.2', 8080), named('b', '10.16.0.3', 8081), pod('c', { ips: ['10.16.0.4'] })],
			[],
		);
		expect(create.map((slice) => [slice.ports?.[0]?.port, addresses([slice])])).toEqual([
			[8080, ['10.16.0.2']],
			[8081, ['10.16.0.3']],
		]);
		expect(new Set(create.map(({ metadata }) => metadata.name)).size).toBe(2);
	});

	it('are marked when the service is headless, and may then have no ports', () => {
		const { create } = decideSlices(
			service({ clusterIP: 'None', ports: [] }),
			[pod('db-0', { spec: { hostname: 'db-0', subdomain: 'web' } })],
			[],
		);
		expect(create).toMatchObject([
			{ metadata: { labels: { 'service.kubernetes.io/headless': '' } }, ports: [], endpoints: [{ hostname: 'db-0' }] },
		]);
	});

	it('are written where something changed and nowhere else', () => {
		const pods = Array.from({ length: 250 }, (_, index) => numbered(index));
		const first = decideSlices(service(), pods, []);
		expect(first.create.map(({ endpoints = [] }) => endpoints.length)).toEqual([100, 100, 50]);
		expect(decideSlices(service(), pods, first.create)).toEqual({ create: [], update: [], remove: [] });
		const without = decideSlices(service(), pods.slice(1), first.create);
		expect(without).toMatchObject({ create: [], remove: [] });
		expect(without.update.map(({ endpoints = [] }) => endpoints.length)).toEqual([99]);
	});

	it('end at what the pods are, whatever was there before', () => {
		const some = fc.uniqueArray(fc.integer({ min: 0, max: 600 }), { maxLength: 320 });
		fc.assert(
			fc.property(some, some, fc.boolean(), (before, after, moved) => {
				const old = decideSlices(service(), before.map(numbered), []).create;
				const now = service(moved ? { ports: [{ port: 80, targetPort: 8080 }] } : {});
				const slices = apply(old, decideSlices(now, after.map(numbered), old));
				expect(addresses(slices).sort()).toEqual(after.map((index) => `10.16.${index >> 8}.${index & 255}`).sort());
				expect(
					slices.every(
						({ endpoints = [], ports }) => endpoints.length > 0 && endpoints.length <= 100 && ports?.[0]?.port === (moved ? 8080 : 80),
					),
				).toBe(true);
				expect(new Set(slices.map(({ metadata }) => metadata.name)).size).toBe(slices.length);
			}),
			{ numRuns: 50 },
		);
	});
});
