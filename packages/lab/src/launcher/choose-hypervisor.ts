import { CodedError } from '@tapestry/base';
import type { ProcessDeps } from '../process.ts';
import type { Hypervisor } from './hypervisor.ts';
import { hasLibvirt, libvirt } from './libvirt/libvirt.ts';
import { type HypervisorName, hypervisorAnnotation } from './machine.ts';
import { plainQemu } from './qemu/plain-qemu.ts';

/** What the user insists on, else libvirt where it is installed. @throws VM_HYPERVISOR */
export function chooseHypervisor(deps: ProcessDeps, wanted: HypervisorName | undefined): Hypervisor {
	const installed = hasLibvirt();
	if (wanted === 'libvirt' && !installed) {
		throw new CodedError('VM_HYPERVISOR', {
			what: 'the machine cannot be run by libvirt',
			why: 'libvirt is not installed on this node',
			fix: `install libvirt-daemon and libvirt-clients, or remove annotation ${hypervisorAnnotation}`,
		});
	}
	return wanted === 'qemu' || !installed ? plainQemu(deps) : libvirt(deps);
}
