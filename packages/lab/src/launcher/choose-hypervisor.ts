import { CodedError } from '@tapestry/base';
import type { ProcessDeps } from '../process.ts';
import type { Nic } from './config.ts';
import type { Hypervisor } from './hypervisor.ts';
import { type DefineDomain, hasLibvirt, libvirt } from './libvirt/libvirt.ts';
import { type HypervisorName, hypervisorAnnotation } from './machine.ts';
import { plainQemu } from './qemu/plain-qemu.ts';

/** What the user insists on, else libvirt where it is installed and can do what the NIC takes. @throws VM_HYPERVISOR, VM_HOOK */
export function chooseHypervisor(
	deps: ProcessDeps,
	wanted: HypervisorName | undefined,
	nic: Nic | undefined,
	define?: DefineDomain,
): Hypervisor {
	const installed = hasLibvirt();
	if (nic?.backend) {
		if (wanted !== 'libvirt') return qemuWithout(define, deps);
		throw new CodedError('VM_HYPERVISOR', {
			what: 'the machine cannot be run by libvirt',
			why: 'its NIC has no tap that libvirt could open by name',
			fix: `use another attachment mode, or remove annotation ${hypervisorAnnotation}`,
		});
	}
	if (wanted === 'libvirt' && !installed) {
		throw new CodedError('VM_HYPERVISOR', {
			what: 'the machine cannot be run by libvirt',
			why: 'libvirt is not installed on this node',
			fix: `install libvirt-daemon-system, libvirt-daemon-driver-qemu and libvirt-clients, or remove annotation ${hypervisorAnnotation}`,
		});
	}
	return wanted === 'qemu' || !installed ? qemuWithout(define, deps) : libvirt(deps, define);
}

function qemuWithout(define: DefineDomain | undefined, deps: ProcessDeps): Hypervisor {
	if (!define) return plainQemu(deps);
	throw new CodedError('VM_HOOK', {
		what: 'the hook sidecars of the machine cannot be called',
		why: "they change libvirt's domain, and the machine is run by QEMU alone",
		fix: `install libvirt-daemon-system, libvirt-daemon-driver-qemu and libvirt-clients, and remove annotation ${hypervisorAnnotation}`,
	});
}
