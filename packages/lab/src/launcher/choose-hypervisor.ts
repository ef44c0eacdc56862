import { CodedError } from '@tapestry/base';
import type { ProcessDeps } from '../process.ts';
import type { Nic } from './config.ts';
import { hookSidecarsAnnotation } from './hooks/requested.ts';
import type { Hypervisor } from './hypervisor.ts';
import { type DomainHooks, libvirt } from './libvirt/libvirt.ts';
import { type HypervisorName, hypervisorAnnotation } from './machine.ts';
import { plainQemu } from './qemu/plain-qemu.ts';

/** QEMU alone, unless the user wants libvirt or the machine's hooks do, which change libvirt's domain. @throws VM_HYPERVISOR, VM_HOOK */
export function chooseHypervisor(
	deps: ProcessDeps,
	wanted: HypervisorName | undefined,
	nic: Nic | undefined,
	hooks?: DomainHooks,
): Hypervisor {
	if (wanted === 'qemu' && hooks) {
		throw new CodedError('VM_HOOK', {
			what: 'the hook sidecars of the machine cannot be called',
			why: "they change libvirt's domain, and the machine is run by QEMU alone",
			fix: `remove annotation ${hypervisorAnnotation}`,
		});
	}
	if (wanted !== 'libvirt' && !hooks) return plainQemu(deps);
	if (nic?.backend) {
		throw new CodedError('VM_HYPERVISOR', {
			what: 'the machine cannot be run by libvirt',
			why: 'its NIC has no tap that libvirt could open by name',
			fix: `use another attachment mode, or remove annotation ${wanted === 'libvirt' ? hypervisorAnnotation : hookSidecarsAnnotation}`,
		});
	}
	return libvirt(deps, hooks);
}
