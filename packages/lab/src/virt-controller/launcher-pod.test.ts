import { createHash } from 'node:crypto';
import type { VirtualMachineInstance } from '@tapestry/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { launcherPod } from './launcher-pod.ts';

const podOf = (name: string) =>
	launcherPod({ metadata: { name, namespace: 'a', uid: 'u1' }, spec: { domain: {} } } as VirtualMachineInstance);
const labelOf = (name: string) => podOf(name).metadata.labels?.['vm.kubevirt.io/name'] ?? '';

describe('launcherPod', () => {
	it('keeps the whole name where it fits', () => {
		expect(labelOf('x'.repeat(63))).toBe('x'.repeat(63));
		expect(podOf('vm').metadata.name).toMatch(/^virt-launcher-vm-[a-z0-9]{5}$/);
	});

	it('shortens a longer name by its hash, and keeps all of it in the annotation', () => {
		const name = 'x'.repeat(70);
		expect(labelOf(name)).toBe(`${'x'.repeat(54)}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`);
		expect(labelOf(name)).not.toBe(labelOf(`${name}y`));
		expect(podOf(name).metadata.annotations).toMatchObject({ 'kubevirt.io/domain': name });
	});

	it('does not cut a name so that a dash follows a dot', () => {
		// The last character that is kept is the dot.
		const { name } = podOf(`${'x'.repeat(223)}.${'y'.repeat(20)}`).metadata;
		expect(name).toMatch(/^virt-launcher-x{223}-[0-9a-f]{8}-[a-z0-9]{5}$/);
	});

	it('makes valid names of every machine name', () => {
		const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
		const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) =>
			parts
				.join('.')
				.slice(0, 253)
				.replace(/[.-]+$/, ''),
		);
		fc.assert(
			fc.property(name, (machine) => {
				const { metadata } = podOf(machine);
				expect(metadata.name.length).toBeLessThanOrEqual(253);
				expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
				expect(labelOf(machine)).toMatch(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/);
			}),
		);
	});
});
