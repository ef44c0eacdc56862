import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestRest, type TestRest, testPod } from '../testing/rest.ts';
import { patchOf, startTestWebhook, type TestWebhook } from '../testing/webhook.ts';
import { admitBody, admittedCreate, admittedRemove, admittedUpdate } from './admitted.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

const configMaps = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };
let rest: TestRest;
let hook: TestWebhook;
let webhooks: Webhooks;
beforeEach(async () => {
	rest = createTestRest();
	hook = await startTestWebhook();
	webhooks = createWebhooks({ store: rest.context.store, clock: systemClock, log: silentLogger, uuid: rest.context.uuid });
});
afterEach(async () => {
	rest[Symbol.dispose]();
	await hook[Symbol.asyncDispose]();
});

const entry = (more: object = {}): object => ({
	name: 'hook.example.com',
	clientConfig: { url: hook.url, caBundle: hook.caBundle },
	rules: [configMaps],
	admissionReviewVersions: ['v1'],
	sideEffects: 'None',
	...more,
});
const register = (kind: 'mutating' | 'validating', name: string, ...hooks: readonly object[]) =>
	rest.create(`${kind}webhookconfigurations.admissionregistration.k8s.io`, {
		metadata: { name },
		webhooks: JSON.parse(JSON.stringify(hooks)),
	});
const endpointOf = (resource: string) => rest.context.registry.endpointOf(resource)!;
const deps = () => ({ rest: rest.context, webhooks });
const create = (object: object, options = {}, resource = 'configmaps') => {
	const endpoint = endpointOf(resource);
	const namespace = endpoint.kind.namespaced ? 'default' : '';
	const typed = { apiVersion: endpoint.kind.storedAs, kind: endpoint.kind.kind, ...object };
	return admittedCreate(deps(), { endpoint, namespace }, typed as never, options);
};
const update = (name: string, change: (object: never) => unknown) =>
	admittedUpdate(deps(), { endpoint: endpointOf('configmaps'), namespace: 'default', name }, change as never, {});
const map = (name: string, data: object = {}) => ({ metadata: { name }, data });

describe('webhook configurations', () => {
	it('are defaulted', () => {
		const { webhooks: hooks } = register('mutating', 'a', entry({ rules: [configMaps] }));
		expect(hooks).toMatchObject([
			{
				failurePolicy: 'Fail',
				matchPolicy: 'Equivalent',
				timeoutSeconds: 10,
				reinvocationPolicy: 'Never',
				namespaceSelector: {},
				objectSelector: {},
				rules: [{ scope: '*' }],
			},
		]);
	});

	it.each([
		[{ name: 'short' }, 'should be a domain with at least three segments separated by dots'],
		[{ sideEffects: 'Some' }, 'webhooks[0].sideEffects: Unsupported value: "Some"'],
		[{ sideEffects: undefined }, 'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun'],
		[{ admissionReviewVersions: ['v1beta1'] }, 'must include at least one of v1'],
		[{ admissionReviewVersions: [] }, 'webhooks[0].admissionReviewVersions: Required value'],
		[{ timeoutSeconds: 31 }, 'the timeout value must be between 1 and 30 seconds'],
		[{ failurePolicy: 'Maybe' }, 'webhooks[0].failurePolicy: Unsupported value'],
		[{ clientConfig: {} }, 'exactly one of url or service is required'],
		[{ clientConfig: { url: 'http://a/b' } }, "'https' is the only allowed URL scheme"],
		[{ clientConfig: { url: 'https://a/b?c' } }, 'query parameters are not permitted in the URL'],
		[{ clientConfig: { url: 'https://a', caBundle: 'eA==' } }, 'unable to load root certificates'],
		[{ clientConfig: { service: { name: 'a', namespace: 'b', path: 'c' } } }, "must start with a '/'"],
		[{ rules: [{ ...configMaps, operations: ['READ'] }] }, 'Unsupported value: "READ"'],
		[{ rules: [{ operations: ['*'] }] }, 'webhooks[0].rules[0].apiGroups: Required value'],
		[{ matchConditions: [{ name: 'a', expression: 'true' }] }, 'this server has no CEL'],
	])('are refused with %j', (more, message) => {
		expect(() => register('validating', 'a', entry(more))).toThrow(message);
	});

	it('have unique names', () => {
		expect(() => register('validating', 'a', entry(), entry())).toThrow('webhooks[1].name: Duplicate value');
	});

	it('are never shown to a webhook', async () => {
		const all = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };
		register('validating', 'a', entry({ rules: [all] }));
		hook.say = () => ({ allowed: false });
		const resource = 'validatingwebhookconfigurations.admissionregistration.k8s.io';
		await admittedRemove(deps(), { endpoint: endpointOf(resource), namespace: '', name: 'a' }, {});
		expect(hook.asked).toEqual([]);
	});
});

describe('validating webhooks', () => {
	it('are told who asks what', async () => {
		register('validating', 'a', entry());
		await create(map('m', { a: '1' }));
		await update('m', (object) => ({ ...(object as object), data: { a: '2' } }));
		await admittedRemove(deps(), { endpoint: endpointOf('configmaps'), namespace: 'default', name: 'm' }, {});
		const gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
		const gvr = { group: '', version: 'v1', resource: 'configmaps' };
		const always = { kind: gvk, resource: gvr, requestKind: gvk, requestResource: gvr, name: 'm', namespace: 'default', dryRun: false };
		expect(hook.asked).toEqual([
			expect.objectContaining({ ...always, operation: 'CREATE', oldObject: null, object: expect.objectContaining({ data: { a: '1' } }) }),
			expect.objectContaining({
				...always,
				operation: 'UPDATE',
				oldObject: expect.objectContaining({ data: { a: '1' } }),
				object: expect.objectContaining({ data: { a: '2' } }),
			}),
			expect.objectContaining({ ...always, operation: 'DELETE', object: null, oldObject: expect.objectContaining({ data: { a: '2' } }) }),
		]);
		expect(hook.asked[0]).toMatchObject({
			userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
			options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
			object: { metadata: { uid: expect.any(String), creationTimestamp: expect.any(String) } },
		});
	});

	it.each([
		[{ message: 'too red', code: 403, reason: 'Forbidden' }, 'admission webhook "hook.example.com" denied the request: too red', 403],
		[{ reason: 'Red' }, 'admission webhook "hook.example.com" denied the request: Red', 400],
		[undefined, 'admission webhook "hook.example.com" denied the request without explanation', 400],
	])('refuse with %j', async (status, message, code) => {
		register('validating', 'a', entry());
		hook.say = () => ({ allowed: false, status });
		await expect(create(map('m'))).rejects.toMatchObject({ message, answer: { message, code, status: 'Failure' } });
		expect(rest.get('configmaps', 'm')).toBeUndefined();
	});

	it('pass warnings on, and are told of dry runs', async () => {
		register('validating', 'a', entry());
		hook.say = () => ({ allowed: true, warnings: ['old field'] });
		const warnings: string[] = [];
		await create(map('m'), { dryRun: true, warn: (text: string) => warnings.push(text) });
		expect(warnings).toEqual(['old field']);
		expect(hook.asked).toMatchObject([{ dryRun: true }]);
		expect(rest.get('configmaps', 'm')).toBeUndefined();
	});

	it.each<[string, object | string, string]>([
		['no JSON', 'nonsense', "failed to call webhook: couldn't get version/kind; json parse error"],
		['no response', '{}', 'webhook response was absent'],
		['another uid', { allowed: true, uid: 'x' }, /expected response.uid=".+", got "x"/.source],
		[
			'another version',
			'{"apiVersion":"v2","kind":"AdmissionReview","response":{"allowed":true}}',
			'expected webhook response of admission',
		],
		['a patch', patchOf({ op: 'remove', path: '/data' }), 'validating webhook may not return response.patch'],
	])('that answer with %s have failed', async (_what, answer, why) => {
		register('validating', 'a', entry());
		hook.say = () => answer;
		const message = expect.stringMatching(`^Internal error occurred: failed calling webhook "hook.example.com": .*${why}`);
		await expect(create(map('m'))).rejects.toMatchObject({ reason: 'InternalError', message });
	});

	it('that cannot be reached stop the request only if they say Fail', async () => {
		const nobody = { clientConfig: { url: 'https://127.0.0.1:1/hook' } };
		register('validating', 'a', entry({ ...nobody, failurePolicy: 'Ignore' }));
		await create(map('ignored'));
		register('validating', 'b', entry(nobody));
		await expect(create(map('m'))).rejects.toThrow(
			'failed calling webhook "hook.example.com": failed to call webhook: Post "https://127.0.0.1:1/hook?timeout=10s": connect ECONNREFUSED',
		);
	});

	it('are asked over one connection, and over another when that was closed', async () => {
		register('validating', 'a', entry());
		for (const name of ['one', 'two', 'three']) await create(map(name));
		expect(hook.connections).toBe(1);
		hook.hangUp();
		await create(map('four'));
		expect([hook.connections, hook.asked.length]).toEqual([2, 4]);
	});

	it('that are silent run into their time', async () => {
		register('validating', 'a', entry({ timeoutSeconds: 1 }));
		hook.say = () => undefined;
		await expect(create(map('m'))).rejects.toThrow(/timeout=1s": context deadline exceeded$/);
	});

	it('whose certificate is not of their authority are not believed', async () => {
		await using other = await startTestWebhook();
		register('validating', 'a', entry({ clientConfig: { url: hook.url, caBundle: other.caBundle } }));
		await expect(create(map('m'))).rejects.toThrow(/failed calling webhook "hook.example.com": .*(certificate|signature)/);
	});

	it('are asked only about what they name', async () => {
		rest.create('namespaces', { metadata: { name: 'quiet', labels: { quiet: 'yes' } } });
		register(
			'validating',
			'a',
			entry({ objectSelector: { matchLabels: { ask: 'me' } } }),
			entry({ name: 'b.example.com', namespaceSelector: { matchExpressions: [{ key: 'quiet', operator: 'Exists' }] } }),
			entry({ name: 'c.example.com', rules: [{ ...configMaps, scope: 'Cluster' }] }),
			entry({ name: 'd.example.com', rules: [{ ...configMaps, operations: ['DELETE'] }] }),
			entry({ name: 'e.example.com', rules: [{ ...configMaps, resources: ['configmaps/status', 'pods'] }] }),
		);
		await create(map('m'));
		expect(hook.asked).toHaveLength(0);
		await create({ metadata: { name: 'n', labels: { ask: 'me' } } });
		expect(hook.asked).toHaveLength(1);
		// The old object counts, too.
		await update('n', (object) => ({ ...(object as object), metadata: { name: 'n' } }));
		expect(hook.asked).toHaveLength(2);
		const endpoint = endpointOf('configmaps');
		await admittedCreate(deps(), { endpoint, namespace: 'quiet' }, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'q' } }, {});
		expect(hook.asked).toHaveLength(3);
	});

	it('are found through their Service', async () => {
		register(
			'validating',
			'a',
			entry({ clientConfig: { service: { namespace: 'default', name: 'hook', path: '/x' }, caBundle: hook.caBundle } }),
		);
		await expect(create(map('m'))).rejects.toThrow('failed calling webhook "hook.example.com": service "hook" not found');
		rest.create('services', { metadata: { name: 'hook' }, spec: { ports: [{ name: 'https', port: 8443 }] } });
		await expect(create(map('m'))).rejects.toThrow('no service port 443 found for service "hook"');
		rest.update('services', 'hook', (service) => ({
			...service,
			spec: { ...(service.spec as object), ports: [{ name: 'https', port: 443 }] },
		}));
		const slice = (ready: boolean) => ({
			metadata: { name: `hook-${ready}`, labels: { 'kubernetes.io/service-name': 'hook' } },
			addressType: 'IPv4',
			ports: [{ name: 'https', port: hook.port }],
			endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready } }],
		});
		rest.create('endpointslices.discovery.k8s.io', slice(false));
		await expect(create(map('m'))).rejects.toThrow('no endpoints available for service "hook"');
		rest.create('endpointslices.discovery.k8s.io', slice(true));
		await create(map('m'));
		expect(hook.asked).toHaveLength(1);
	});

	it('are asked about bindings', async () => {
		const bindings = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/binding'] };
		register('validating', 'a', entry({ rules: [bindings] }));
		rest.create('pods', testPod('p'));
		hook.say = () => ({ allowed: false, status: { message: 'not there' } });
		const target = { endpoint: endpointOf('pods'), namespace: 'default', name: 'p' };
		await expect(admitBody(deps(), target, 'binding', { target: { name: 'n1' } }, {})).rejects.toThrow('denied the request: not there');
		expect(hook.asked).toMatchObject([
			{ subResource: 'binding', kind: { kind: 'Binding' }, resource: { resource: 'pods' }, object: { target: { name: 'n1' } } },
		]);
	});
});

describe('mutating webhooks', () => {
	it('change what is stored, before it is checked, in the order of their names', async () => {
		await using second = await startTestWebhook(() => patchOf({ op: 'replace', path: '/data/by', value: 'b' }));
		register('mutating', 'b', entry({ name: 'b.example.com', clientConfig: { url: second.url, caBundle: second.caBundle } }));
		register('mutating', 'a', entry());
		hook.say = () => patchOf({ op: 'add', path: '/data', value: { by: 'a' } });
		await create(map('m'));
		expect(rest.get('configmaps', 'm')).toMatchObject({ data: { by: 'b' } });
		hook.say = () => patchOf({ op: 'add', path: '/data', value: { 'not a key': '1' } });
		second.say = () => ({ allowed: true });
		await expect(create(map('n'))).rejects.toMatchObject({ reason: 'Invalid' });
	});

	it('are asked again, once, when a later one has changed the object and they want it', async () => {
		await using second = await startTestWebhook(() => patchOf({ op: 'add', path: '/data/later', value: 'yes' }));
		register('mutating', 'a', entry({ reinvocationPolicy: 'IfNeeded' }), entry({ name: 'never.example.com' }));
		register('mutating', 'b', entry({ name: 'b.example.com', clientConfig: { url: second.url, caBundle: second.caBundle } }));
		await create(map('m', { a: '1' }));
		expect(hook.asked).toHaveLength(3);
		expect(hook.asked[2]).toMatchObject({ object: { data: { later: 'yes' } } });
		expect(second.asked).toHaveLength(1);
	});

	it('whose patch does not fit stop the request, whatever their failurePolicy', async () => {
		register('mutating', 'a', entry({ failurePolicy: 'Ignore' }));
		hook.say = () => patchOf({ op: 'remove', path: '/nothing' });
		await expect(create(map('m'))).rejects.toThrow('Internal error occurred: the patch cannot be applied');
	});

	it('may not patch what is being deleted', async () => {
		rest.create('configmaps', map('m'));
		register('mutating', 'a', entry());
		hook.say = () => patchOf({ op: 'add', path: '/data', value: {} });
		const removal = admittedRemove(deps(), { endpoint: endpointOf('configmaps'), namespace: 'default', name: 'm' }, {});
		await expect(removal).rejects.toThrow('attempted to modify the object, which is not supported for this operation');
	});

	it('cannot change names', async () => {
		register('mutating', 'a', entry());
		rest.create('configmaps', map('m'));
		hook.say = () => patchOf({ op: 'replace', path: '/metadata/name', value: 'x' });
		await expect(update('m', (object) => ({ ...(object as object), data: { a: '1' } }))).rejects.toMatchObject({ reason: 'BadRequest' });
	});
});

describe('updates that others overtake while a webhook is asked', () => {
	it('are made anew from what there is then', async () => {
		rest.create('configmaps', map('m', { count: '1' }));
		register('validating', 'a', entry());
		let overtaken = false;
		hook.say = () => {
			if (!overtaken) rest.update('configmaps', 'm', (object) => ({ ...object, data: { count: '5' } }));
			overtaken = true;
			return { allowed: true };
		};
		await update('m', (object) => {
			const { data, ...rest } = object as { data: { count: string } };
			return { ...rest, data: { count: String(Number(data.count) + 1) } };
		});
		expect(rest.get('configmaps', 'm')).toMatchObject({ data: { count: '6' } });
	});
});

it('shows another version of the resource to webhooks that do not insist on Exact', async () => {
	const version = (name: string, storage: boolean) => ({
		name,
		served: true,
		storage,
		schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
	});
	rest.create('customresourcedefinitions.apiextensions.k8s.io', {
		metadata: { name: 'widgets.example.com' },
		spec: {
			group: 'example.com',
			scope: 'Cluster',
			names: { plural: 'widgets', kind: 'Widget' },
			versions: [version('v1', true), version('v2', false)],
		},
	});
	await rest.settled();
	const v2 = { operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['v2'], resources: ['widgets'] };
	register('mutating', 'a', entry({ rules: [v2] }), entry({ name: 'exact.example.com', rules: [v2], matchPolicy: 'Exact' }));
	hook.say = () => patchOf({ op: 'add', path: '/spec', value: { seen: true } });
	await create({ metadata: { name: 'w' } }, {}, 'widgets.example.com');
	expect(hook.asked).toMatchObject([{ kind: { version: 'v2' }, requestKind: { version: 'v1' }, object: { apiVersion: 'example.com/v2' } }]);
	expect(rest.get('widgets.example.com', 'w')).toMatchObject({ apiVersion: 'example.com/v1', spec: { seen: true } });
});
