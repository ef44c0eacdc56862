import { describe, expect, it } from 'vitest';
import { customResourceDefinitions, kinds } from './kinds.ts';
import type { JsonSchema } from './schema.ts';

const crds = customResourceDefinitions();
const byKind = new Map(crds.map((crd) => [crd.spec.names.kind, crd]));

function* nodes(schema: JsonSchema, path = ''): Generator<{ path: string; schema: JsonSchema }> {
	yield { path, schema };
	for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodes(child, `${path}.${name}`);
	if (schema.items) yield* nodes(schema.items, `${path}[]`);
	if (schema.additionalProperties) yield* nodes(schema.additionalProperties, `${path}{}`);
}

it('installs every kind that users of Kube-OVN, KubeVirt, Multus and network-policy-api know', () => {
	const wanted =
		'Vpc VpcNatGateway VpcDns Vlan Vip SwitchLBRule Subnet SecurityGroup ProviderNetwork OvnSnatRule OvnFip OvnEip OvnDnatRule IptablesSnatRule ' +
		'IptablesFIPRule IptablesEIP IptablesDnatRule IP IPPool QoSPolicy VirtualMachine VirtualMachineInstance ' +
		'VirtualMachineInstanceMigration NetworkAttachmentDefinition AdminNetworkPolicy BaselineAdminNetworkPolicy';
	expect(new Set(byKind.keys())).toEqual(new Set(wanted.split(' ')));
});

it('gives every short name and plural to one kind only', () => {
	const names = crds.flatMap(({ spec }) => [...spec.names.shortNames, spec.names.plural]);
	expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

describe.each(kinds.map((kind) => [kind.resource.kind, kind] as const))('%s', (name, kind) => {
	const crd = byKind.get(name)!;
	const root = crd.spec.versions[0]!.schema.openAPIV3Schema;

	it('has a structural schema in which everything is described', () => {
		for (const { path, schema } of nodes(root)) {
			const typed = schema.type !== undefined || schema['x-kubernetes-int-or-string'] === true;
			expect(typed, `${path} has a type`).toBe(true);
			if (/^\.(spec|status)/.test(path)) expect(schema.description, `${path} has a description`).toMatch(/^[A-Z`].*\.$/s);
			for (const field of schema.required ?? []) expect(Object.keys(schema.properties ?? {}), path).toContain(field);
		}
	});

	it('can be made without a spec only where nothing in it is required', () => {
		expect(root.required?.includes('spec') ?? false).toBe((kind.spec.required ?? []).length > 0);
		expect(root.properties!.spec!.default).toEqual(kind.spec.required ? undefined : {});
	});

	it('shows only fields that exist', () => {
		const paths = new Set([...nodes(root)].map(({ path }) => path));
		for (const { jsonPath } of kind.columns) {
			if (jsonPath.startsWith('.metadata.')) continue;
			expect(paths).toContain(jsonPath.replace(/\[[^\]]*\]/g, '[]'));
		}
	});

	it('stores exactly one version', () => {
		expect(crd.spec.versions.filter((version) => version.storage)).toHaveLength(1);
		expect(crd.spec.conversion).toEqual({ strategy: 'None' });
		expect(crd.metadata.name).toBe(`${crd.spec.names.plural}.${crd.spec.group}`);
	});
});

it('serves the version of KubeVirt that older manifests use', () => {
	expect(byKind.get('VirtualMachine')!.spec.versions.map(({ name, storage }) => [name, storage])).toEqual([
		['v1', true],
		['v1alpha3', false],
	]);
});

it('writes the status of a lease nowhere, as Kube-OVN', () => {
	expect(byKind.get('IP')!.spec.versions[0]!.subresources).toBeUndefined();
	expect(byKind.get('Subnet')!.spec.versions[0]!.subresources).toEqual({ status: {} });
});
