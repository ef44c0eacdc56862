/** QEMU under its usual names, and other VMMs. */
const executables = /^(qemu|qemu-kvm|qemu-system-.+|cloud-hypervisor|firecracker)$/;
/** libvirt's daemons, which open taps and leave them to the QEMU that they start. */
const openers = /^(virtqemud|libvirtd)$/;

/** Whether an executable (its base name) opens a tap to keep it for a machine, and not to look at it. */
export function isVmm(executable: string): boolean {
	return executables.test(executable);
}

/** Whether it opens taps for a VMM that it has yet to start. */
export function opensForVmm(executable: string): boolean {
	return openers.test(executable);
}
