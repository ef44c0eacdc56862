import { afterAll, beforeAll, expect, it } from 'vitest';
import { patchOf, startTestWebhook, type TestWebhook } from '../../packages/apiserver/src/testing/webhook.ts';
import { configMap, manifest, withEachKubectl } from './kubectl-runner.ts';

withEachKubectl('admission webhooks', (kubectl) => {
	let hook: TestWebhook;
	beforeAll(async () => {
		hook = await startTestWebhook();
	});
	afterAll(() => hook[Symbol.asyncDispose]());

	const configuration = (kind: string, more: object = {}): object => ({
		apiVersion: 'admissionregistration.k8s.io/v1',
		kind,
		metadata: { name: 'tests' },
		webhooks: [
			{
				name: 'maps.example.com',
				clientConfig: { url: hook.url, caBundle: hook.caBundle },
				rules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], scope: '*' }],
				admissionReviewVersions: ['v1'],
				sideEffects: 'None',
				...more,
			},
		],
	});

	it('are registered, applied again, changed and shown', async () => {
		for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
			const apply = (more?: object) => kubectl.ok(['apply', '-f', '-'], manifest(configuration(kind, more)));
			expect(await apply()).toContain('created');
			expect(await apply()).toContain('unchanged');
			expect(await apply({ timeoutSeconds: 5 })).toContain('configured');
			expect(await kubectl.ok(['get', kind])).toMatch(/NAME\s+WEBHOOKS\s+AGE\ntests\s+1\s/);
		}
		const refused = await kubectl(['apply', '-f', '-'], manifest(configuration('ValidatingWebhookConfiguration', { sideEffects: 'Some' })));
		expect(refused.stderr).toContain('webhooks[0].sideEffects: Unsupported value: "Some"');
	});

	it('change and refuse what kubectl applies', async () => {
		const seen: string[] = [];
		hook.say = (request) => {
			seen.push(String(request.operation));
			return patchOf({ op: 'add', path: '/data/by', value: 'webhook' });
		};
		await kubectl.ok(['delete', 'validatingwebhookconfiguration', 'tests']);
		await kubectl.ok(['apply', '-f', '-'], manifest(configMap('hooked', { a: '1' })));
		expect(await kubectl.json(['get', 'configmap', 'hooked'])).toMatchObject({ data: { a: '1', by: 'webhook' } });
		await kubectl.ok(['apply', '-f', '-'], manifest(configMap('hooked', { a: '2' })));
		expect(await kubectl.json(['get', 'configmap', 'hooked'])).toMatchObject({ data: { a: '2', by: 'webhook' } });
		expect(seen).toEqual(['CREATE', 'UPDATE']);
		await kubectl.ok(['delete', 'mutatingwebhookconfiguration', 'tests']);
		await kubectl.ok(['apply', '-f', '-'], manifest(configuration('ValidatingWebhookConfiguration')));
		hook.say = () => ({ allowed: false, status: { message: 'it is red', reason: 'Forbidden', code: 403 } });
		const { status, stderr } = await kubectl(['apply', '-f', '-'], manifest(configMap('refused', {})));
		expect(status).toBe(1);
		expect(stderr).toContain('admission webhook "maps.example.com" denied the request: it is red');
		expect((await kubectl(['get', 'configmap', 'refused'])).stderr).toContain('NotFound');
	});

	it('are told of a dry run', async () => {
		hook.say = ({ dryRun }) => ({ allowed: dryRun === true });
		await kubectl.ok(['create', '--dry-run=server', '-f', '-'], manifest(configMap('dry', {})));
		expect((await kubectl(['create', '-f', '-'], manifest(configMap('dry', {})))).stderr).toContain(
			'denied the request without explanation',
		);
	});
});
