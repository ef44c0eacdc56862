import { expect, it } from 'vitest';
import { hostTapName, podInterfaceName, tapName } from './kubevirt-names.ts';

it('names interfaces as KubeVirt does', () => {
	expect(podInterfaceName('net1')).toBe('pod6c270ef2f25');
	expect(podInterfaceName('default')).toBe('pod37a8eec1ce1');
	expect(tapName('net1', false)).toBe('tap6c270ef2f25');
	expect(tapName('default', true)).toBe('tap0');
});

it("gives each machine's tap on the node a name of its own", () => {
	const name = hostTapName('0b1f8a2e-1111-4000-8000-000000000001', 'default');
	expect(name).toMatch(/^vmt[0-9a-f]{11}$/);
	expect(name.length).toBeLessThanOrEqual(15);
	expect(hostTapName('0b1f8a2e-1111-4000-8000-000000000002', 'default')).not.toBe(name);
	expect(hostTapName('0b1f8a2e-1111-4000-8000-000000000001', 'net1')).not.toBe(name);
});
