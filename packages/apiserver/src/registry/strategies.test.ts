import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiObject } from '../objects.ts';
import { createTestRest, type TestRest } from '../testing/rest.ts';
import { eventConversion } from './event.ts';

let rest: TestRest;
beforeEach(() => {
	rest = createTestRest();
});
afterEach(() => rest[Symbol.dispose]());

describe('built-in kinds', () => {
	it('Secrets encode stringData, have a type and keep it', () => {
		const secret = rest.create('secrets', { metadata: { name: 'a' }, data: { x: 'eA==' }, stringData: { y: 'y' } });
		expect(secret).toMatchObject({ type: 'Opaque', data: { x: 'eA==', y: 'eQ==' } });
		expect(secret).not.toHaveProperty('stringData');
		expect(() => rest.update('secrets', 'a', (object) => ({ ...object, type: 'other' }))).toThrow('field is immutable');
		expect(() => rest.create('secrets', { metadata: { name: 'b' }, data: { x: 'no base64!' } })).toThrow('data[x] must be base64');
	});

	it('ConfigMaps hold strings under proper keys, and stay when they are immutable', () => {
		expect(() => rest.create('configmaps', { metadata: { name: 'a' }, data: { 'a/b': 'x' } })).toThrow('data[a/b]');
		rest.create('configmaps', { metadata: { name: 'a' }, immutable: true, data: { x: '1' } });
		expect(() => rest.update('configmaps', 'a', (object) => ({ ...object, data: { x: '2' } }))).toThrow(
			'field is immutable when `immutable` is set',
		);
		rest.update('configmaps', 'a', (object) => ({ ...object, metadata: { ...object.metadata, labels: { a: 'b' } } }));
	});

	it('EndpointSlices hold addresses of their type', () => {
		const slice = (addressType: string, addresses: readonly string[]): object => ({
			metadata: { name: 'a' },
			addressType,
			endpoints: [{ addresses }],
		});
		const resource = 'endpointslices.discovery.k8s.io';
		expect(() => rest.create(resource, slice('IPv4', ['fd00::1']))).toThrow('must be a valid IPv4 address');
		expect(() => rest.create(resource, slice('IPv5', ['10.0.0.1']))).toThrow('addressType: Unsupported value: "IPv5"');
		rest.create(resource, slice('IPv6', ['fd00::1']));
		expect(() =>
			rest.update(resource, 'a', (object) => ({ ...object, ...slice('IPv4', ['10.0.0.1']), metadata: object.metadata })),
		).toThrow('field is immutable');
	});

	it('NetworkPolicies say which directions they are about', () => {
		const resource = 'networkpolicies.networking.k8s.io';
		const types = (name: string, spec: object): unknown =>
			(rest.create(resource, { metadata: { name }, spec }).spec as { policyTypes: unknown }).policyTypes;
		expect(types('a', { podSelector: {} })).toEqual(['Ingress']);
		expect(types('b', { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] })).toEqual(['Ingress', 'Egress']);
		expect(rest.get(resource, 'b')).toMatchObject({ spec: { egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }] } });
	});

	it('workloads select the pods of their template', () => {
		const resource = 'deployments.apps';
		const deployment = (labels: object): object => ({
			metadata: { name: 'a' },
			spec: {
				selector: { matchLabels: { app: 'a' } },
				template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'x:1' }] } },
			},
		});
		expect(() => rest.create(resource, deployment({ app: 'b' }))).toThrow('`selector` does not match template `labels`');
		expect(rest.create(resource, deployment({ app: 'a' }))).toMatchObject({
			spec: { replicas: 1, template: { spec: { restartPolicy: 'Always' } } },
			status: {},
		});
	});

	it('Events are shown in both of their versions', () => {
		const core: ApiObject = {
			apiVersion: 'v1',
			kind: 'Event',
			metadata: { name: 'e' },
			involvedObject: { kind: 'Pod' },
			message: 'hello',
			count: 2,
			reportingComponent: 'test',
			type: 'Normal',
		};
		const events = eventConversion.toServed(core);
		expect(events).toMatchObject({
			regarding: { kind: 'Pod' },
			note: 'hello',
			deprecatedCount: 2,
			reportingController: 'test',
			type: 'Normal',
		});
		expect(eventConversion.toStored(events)).toEqual(core);
	});

	it('Events lie in the namespace of what they are about', () => {
		const event = (namespace: string | undefined): object => ({
			metadata: { name: 'e' },
			involvedObject: { kind: 'Pod', name: 'a', ...(namespace ? { namespace } : {}) },
		});
		expect(() => rest.create('events', event('kube-system'))).toThrow('does not match event.namespace');
		rest.create('events', event(undefined));
	});
});

describe('definitions', () => {
	const version = (name: string, storage: boolean): object => ({
		name,
		served: true,
		storage,
		schema: { openAPIV3Schema: { type: 'object' } },
	});
	const definition = (changes: object): object => ({
		metadata: { name: 'widgets.example.com' },
		spec: {
			group: 'example.com',
			scope: 'Namespaced',
			names: { plural: 'widgets', kind: 'Widget' },
			versions: [version('v1', true)],
			...changes,
		},
	});
	const resource = 'customresourcedefinitions.apiextensions.k8s.io';

	it.each([
		[{ group: 'example' }, 'spec.group: Invalid value: "example"'],
		[{ names: { plural: 'gadgets', kind: 'Widget' } }, 'must be spec.names.plural+"."+spec.group'],
		[{ scope: 'Everywhere' }, 'spec.scope: Unsupported value: "Everywhere"'],
		[{ versions: [version('v1', true), version('v2', true)] }, 'must have exactly one version marked as storage version'],
		[{ versions: [version('v1', true), version('v1', false)] }, 'spec.versions[1].name: Invalid value: "v1": must be unique'],
		[{ versions: [{ name: 'v1', served: true, storage: true }] }, 'schemas are required'],
		[{ conversion: { strategy: 'Webhook' } }, 'spec.conversion.strategy: Unsupported value: "Webhook"'],
	])('refuse %j', (changes, message) => {
		expect(() => rest.create(resource, definition(changes))).toThrow(message);
	});

	it('remember every version that objects were stored in', () => {
		rest.create(resource, definition({}));
		const spec = (versions: readonly object[]) => (object: ApiObject) => ({ ...object, spec: { ...(object.spec as object), versions } });
		const after = rest.update(resource, 'widgets.example.com', spec([version('v1', false), version('v2', true)]));
		expect(after).toMatchObject({ status: { storedVersions: ['v1', 'v2'] } });
		expect(() => rest.update(resource, 'widgets.example.com', spec([version('v2', true)]))).toThrow('must appear in spec.versions');
	});

	it('show old objects in the new version', () => {
		rest.create(resource, definition({}));
		rest.create('widgets.example.com', { metadata: { name: 'old' } });
		const versions = [version('v1', false), version('v2', true)];
		rest.update(resource, 'widgets.example.com', (object) => ({ ...object, spec: { ...(object.spec as object), versions } }));
		const touched = rest.update('widgets.example.com', 'old', (object) => ({
			...object,
			metadata: { ...object.metadata, labels: { a: 'b' } },
		}));
		expect(touched.apiVersion).toBe('example.com/v2');
	});
});
