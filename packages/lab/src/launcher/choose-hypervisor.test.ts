import { expect, it } from 'vitest';
import { chooseHypervisor } from './choose-hypervisor.ts';
import type { Nic } from './config.ts';
import type { HypervisorName } from './machine.ts';
import { machineConfig } from './testing/machine-config.ts';

const deps = { env: {} };
const { nic: tap } = machineConfig;
const hooks = { nic: tap, define: async (xml: string): Promise<string> => xml };
const passt: Nic = { network: 'default', tap: 'tap0', mac: '', mtu: 1442, queues: 1, backend: { kind: 'stream', socket: '/s' } };

it.each<[HypervisorName | undefined, Nic | undefined, typeof hooks | undefined, HypervisorName]>([
	[undefined, tap, undefined, 'qemu'],
	['qemu', tap, undefined, 'qemu'],
	['libvirt', tap, undefined, 'libvirt'],
	['libvirt', undefined, undefined, 'libvirt'],
	[undefined, tap, hooks, 'libvirt'],
	['libvirt', tap, hooks, 'libvirt'],
	[undefined, passt, undefined, 'qemu'],
])('%s, NIC %o, hooks %o: %s', (wanted, nic, define, name) => {
	expect(chooseHypervisor(deps, wanted, nic, define).name).toBe(name);
});

it.each<[HypervisorName | undefined, Nic | undefined, typeof hooks | undefined, string]>([
	[
		'qemu',
		tap,
		hooks,
		"they change libvirt's domain, and the machine is run by QEMU alone (fix: remove annotation tapestry.io/hypervisor)",
	],
	['libvirt', passt, undefined, 'remove annotation tapestry.io/hypervisor)'],
	[undefined, passt, hooks, 'remove annotation hooks.kubevirt.io/hookSidecars)'],
])('refuses %s, NIC %o, hooks %o', (wanted, nic, define, words) => {
	expect(() => chooseHypervisor(deps, wanted, nic, define)).toThrow(words);
});
