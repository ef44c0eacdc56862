import { expect, it } from 'vitest';
import { behaviourOf, ineffectiveFields, notBuiltProblem } from './behaviour.ts';
import { kinds } from './kinds.ts';
import type { JsonSchema } from './schema.ts';

it('speaks only of fields that exist', () => {
	const find = (schema: JsonSchema | undefined, path: readonly string[]): JsonSchema | undefined => {
		const [segment, ...rest] = path;
		if (segment === undefined || schema === undefined) return schema;
		const child = schema.properties?.[segment.replace('[]', '')];
		return find(segment.endsWith('[]') ? child?.items : child, rest);
	};
	for (const { resource, spec } of kinds) {
		const { ignored = [], onlyValues = {} } = behaviourOf(resource.kind);
		for (const path of [...ignored, ...Object.keys(onlyValues)])
			expect(find(spec, path.split('.')), `${resource.kind} ${path}`).toBeDefined();
	}
});

it('finds what an object asks in vain', () => {
	const spec = {
		cidrBlock: '10.0.0.0/24',
		nodeNetwork: 'main',
		vlan: '',
		acls: [],
		u2oFeatures: { overlayOnlyRouting: false },
		gatewayType: 'elsewhere',
		provider: 'ovn',
	};
	expect(ineffectiveFields('Subnet', spec)).toEqual(['nodeNetwork', 'gatewayType']);
	expect(ineffectiveFields('Vpc', { staticRoutes: [{ cidr: '0.0.0.0/0', bfdId: 'x' }], bfdPort: { enabled: false } })).toEqual([
		'staticRoutes[].bfdId',
	]);
});

it('says so, for a whole kind or for fields', () => {
	expect(notBuiltProblem('VpcNatGateway', {})?.reason).toBe('NotBuilt');
	expect(notBuiltProblem('Subnet', { nodeNetwork: 'main' })).toMatchObject({
		reason: 'FieldsNotBuilt',
		what: 'spec.nodeNetwork has no effect',
	});
	expect(notBuiltProblem('Subnet', { enableEcmp: false })).toBeUndefined();
});
