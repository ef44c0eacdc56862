import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../packages/agent/src/cni/request.ts';

const directory = join(import.meta.dirname, '..', '..', 'deploy', 'kubevirt');
const read = (file: string) => parse(readFileSync(join(directory, file), 'utf8'));
const bindings = readdirSync(directory).filter((file) => file.startsWith('binding'));

/** kubevirt.io/v1, InterfaceBindingPlugin: what each member may be. */
const members: Readonly<Record<string, (value: unknown) => boolean>> = {
	sidecarImage: (value) => typeof value === 'string',
	networkAttachmentDefinition: (value) => typeof value === 'string',
	domainAttachmentType: (value) => value === 'tap' || value === 'managedTap',
	migration: (value) => JSON.stringify(value) === '{}' || JSON.stringify(value) === '{"method":"link-refresh"}',
	downwardAPI: (value) => value === 'device-info',
};

it.each(bindings)('deploy/kubevirt/%s registers bindings that KubeVirt knows', (file) => {
	const registered = Object.entries<Record<string, unknown>>(read(file).spec.configuration.network.binding);
	expect(registered.length).toBeGreaterThan(0);
	for (const [, binding] of registered) {
		for (const [name, value] of Object.entries(binding)) expect({ name, holds: members[name]?.(value) }).toEqual({ name, holds: true });
		// One of the two makes the interface, and both together would make it twice.
		expect([binding.domainAttachmentType, binding.sidecarImage].filter((maker) => maker !== undefined)).toHaveLength(1);
	}
});

it("has a NetworkAttachmentDefinition that the agent's CNI server reads", () => {
	const { kind, spec } = read('network-attachment-definition.yaml');
	expect(kind).toBe('NetworkAttachmentDefinition');
	expect(parseConfig(spec.config)).toMatchObject({ name: 'tapestry', provider: 'ovn', cniVersion: '1.0.0' });
});
