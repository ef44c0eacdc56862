/** QEMU under its usual names, other VMMs, and libvirt's daemons, which open taps for QEMU and hand it the descriptors. */
const executables = /^(qemu|qemu-kvm|qemu-system-.+|cloud-hypervisor|firecracker|virtqemud|libvirtd)$/;

/** Whether an executable (its base name) opens a tap to keep it for a machine, and not to look at it. */
export function isVmm(executable: string): boolean {
	return executables.test(executable);
}
