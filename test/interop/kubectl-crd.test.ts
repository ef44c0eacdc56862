import { beforeAll, expect, it } from 'vitest';
import { manifest, withEachKubectl } from './kubectl-runner.ts';

const schema = {
	type: 'object',
	properties: {
		spec: {
			type: 'object',
			required: ['size'],
			properties: {
				size: { type: 'integer', minimum: 1 },
				color: { type: 'string', default: 'green', enum: ['green', 'red'] },
				parts: { type: 'array', items: { type: 'string' } },
			},
		},
		status: { type: 'object', properties: { phase: { type: 'string' } } },
	},
};
const version = (name: string, storage: boolean): object => ({
	name,
	storage,
	served: true,
	schema: { openAPIV3Schema: schema },
	subresources: { status: {} },
	additionalPrinterColumns: [
		{ name: 'Size', type: 'integer', jsonPath: '.spec.size' },
		{ name: 'Phase', type: 'string', jsonPath: '.status.phase' },
		{ name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
	],
});
const definition = {
	apiVersion: 'apiextensions.k8s.io/v1',
	kind: 'CustomResourceDefinition',
	metadata: { name: 'widgets.example.com' },
	spec: {
		group: 'example.com',
		scope: 'Namespaced',
		names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'], categories: ['gadgets'] },
		versions: [version('v1', true), version('v1alpha3', false)],
	},
};
const widget = (name: string, spec: object, apiVersion = 'example.com/v1'): object => ({
	apiVersion,
	kind: 'Widget',
	metadata: { name },
	spec,
});

withEachKubectl('custom resources', (kubectl) => {
	beforeAll(async () => {
		expect(await kubectl.ok(['apply', '-f', '-'], manifest(definition))).toContain('widgets.example.com created');
		await kubectl.ok(['wait', '--for=condition=Established', 'crd/widgets.example.com', '--timeout=30s']);
	});

	it('serves the kind at once, under all its names', async () => {
		await kubectl.ok(['apply', '-f', '-'], manifest(widget('first', { size: 1 })));
		for (const name of ['widgets', 'widget', 'wd', 'widgets.v1alpha3.example.com', 'gadgets']) {
			expect(await kubectl.ok(['get', name, '-o', 'name'])).toBe('widget.example.com/first\n');
		}
		expect(await kubectl.ok(['api-resources', '--api-group=example.com'])).toMatch(/widgets\s+wd\s+.*Widget/);
	});

	it('applies, applies again and applies a change', async () => {
		expect(await kubectl.ok(['apply', '-f', '-'], manifest(widget('applied', { size: 1, parts: ['a'] })))).toContain('created');
		expect(await kubectl.ok(['apply', '-f', '-'], manifest(widget('applied', { size: 1, parts: ['a'] })))).toContain('unchanged');
		expect(await kubectl.ok(['apply', '-f', '-'], manifest(widget('applied', { size: 2 })))).toContain('configured');
		expect(await kubectl.json(['get', 'widget', 'applied'])).toMatchObject({
			metadata: { generation: 2 },
			spec: { size: 2, color: 'green' },
		});
	});

	it('stores one version and shows every version', async () => {
		await kubectl.ok(['apply', '-f', '-'], manifest(widget('old', { size: 3 }, 'example.com/v1alpha3')));
		expect(await kubectl.json(['get', 'widgets.v1.example.com', 'old'])).toMatchObject({ apiVersion: 'example.com/v1', spec: { size: 3 } });
		expect(await kubectl.json(['get', 'widgets.v1alpha3.example.com', 'old'])).toMatchObject({ apiVersion: 'example.com/v1alpha3' });
	});

	it('prints the columns of the definition', async () => {
		await kubectl.ok(['apply', '-f', '-'], manifest(widget('shown', { size: 5 })));
		const current = await kubectl.json<object>(['get', 'widget', 'shown']);
		const path = '/apis/example.com/v1/namespaces/default/widgets/shown/status';
		await kubectl.ok(['replace', '--raw', path, '-f', '-'], JSON.stringify({ ...current, spec: { size: 9 }, status: { phase: 'Ready' } }));
		const narrow = await kubectl.ok(['get', 'widget', 'shown']);
		expect(narrow).toMatch(/^NAME\s+SIZE\s+PHASE\s*\n/);
		// The status subresource leaves the spec alone.
		expect(narrow).toMatch(/shown\s+5\s+Ready/);
		expect(await kubectl.ok(['get', 'widget', 'shown', '-o', 'wide'])).toMatch(/SIZE\s+PHASE\s+COLOR\s*\n.*green/);
		expect(await kubectl.ok(['describe', 'widget', 'shown'])).toMatch(/Phase:\s+Ready/);
	});

	it('keeps the status out of the main resource', async () => {
		await kubectl.ok(['apply', '-f', '-'], manifest({ ...widget('plain', { size: 1 }), status: { phase: 'Claimed' } }));
		expect(await kubectl.json(['get', 'widget', 'plain'])).not.toHaveProperty('status');
	});

	it('refuses what the schema refuses', async () => {
		const refused = async (spec: object): Promise<string> =>
			(await kubectl(['create', '--validate=false', '-f', '-'], manifest(widget('bad', spec)))).stderr;
		expect(await refused({})).toMatch(/The Widget "bad" is invalid: spec\.size: Required value/);
		expect(await refused({ size: 0 })).toContain('spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1');
		expect(await refused({ size: 1, color: 'blue' })).toContain('spec.color: Unsupported value: "blue"');
		expect(await refused({ size: 'big' })).toContain('spec.size: Invalid value: "string": spec.size in body must be of type integer');
	});

	it('prunes what the schema does not know', async () => {
		await kubectl.ok(['create', '--validate=false', '-f', '-'], manifest(widget('pruned', { size: 1, weight: 2 })));
		expect((await kubectl.json(['get', 'widget', 'pruned'])).spec).toEqual({ size: 1, color: 'green' });
	});

	it('merges patches, and has no strategic ones', async () => {
		await kubectl.ok(['apply', '-f', '-'], manifest(widget('patched', { size: 1, parts: ['a'] })));
		await kubectl.ok(['patch', 'widget', 'patched', '--type=merge', '-p', '{"spec":{"parts":["b"],"color":"red"}}']);
		await kubectl.ok(['patch', 'widget', 'patched', '--type=json', '-p', '[{"op":"replace","path":"/spec/size","value":4}]']);
		expect((await kubectl.json(['get', 'widget', 'patched'])).spec).toEqual({ size: 4, parts: ['b'], color: 'red' });
		expect((await kubectl(['patch', 'widget', 'patched', '--type=strategic', '-p', '{}'])).status).toBe(1);
		await kubectl.ok(['label', 'widget', 'patched', 'a=b']);
		await kubectl.ok(['annotate', 'widget', 'patched', 'a=b']);
	});

	it('refuses a definition that is not structural', async () => {
		const spec = {
			...definition.spec,
			names: { plural: 'blobs', kind: 'Blob' },
			versions: [{ ...version('v1', true), schema: { openAPIV3Schema: { properties: { spec: {} } } } }],
		};
		const refused = await kubectl(['create', '-f', '-'], manifest({ ...definition, metadata: { name: 'blobs.example.com' }, spec }));
		expect(refused.stderr).toMatch(/spec\.versions\[0\]\.schema\.openAPIV3Schema.*type/);
	});

	it('takes its objects along when a definition is deleted', async () => {
		await kubectl.ok(['delete', 'crd', 'widgets.example.com']);
		expect((await kubectl(['get', 'widgets'])).status).toBe(1);
		await kubectl.ok(['apply', '-f', '-'], manifest(definition));
		expect(await kubectl.ok(['get', 'widgets.example.com', '-o', 'name'])).toBe('');
	});
});
