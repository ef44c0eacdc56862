/** A Debian package that the lab or its tests need, and a file of it that tells whether it is there. */
export interface DebianPackage {
	readonly name: string;
	/** What we start, or read, from it. */
	readonly provides: readonly string[];
}

/** Every binary that is ever spawned comes from one of these packages or from Debian's base system. */
export const debianPackages: readonly DebianPackage[] = [
	{ name: 'iproute2', provides: ['ip', 'tc'] },
	{ name: 'util-linux', provides: ['flock', 'nsenter', 'unshare', 'setpriv'] },
	{ name: 'mount', provides: ['mount', 'umount'] },
	{ name: 'procps', provides: ['kill'] },
	{ name: 'ethtool', provides: ['ethtool'] },
	{ name: 'nftables', provides: ['nft'] },
	{ name: 'iputils-ping', provides: ['ping'] },
	{ name: 'tcpdump', provides: ['tcpdump'] },
	// The wget of busybox-static ends with a segmentation fault: it looks names up with the libraries of another glibc.
	{ name: 'curl', provides: ['curl'] },
	// Most machines have Debian's other `busybox`: it is linked dynamically, and the guest holds none of its libraries.
	{ name: 'busybox-static', provides: ['busybox', '/var/lib/dpkg/info/busybox-static.list'] },
	{ name: 'openvswitch-common', provides: ['ovs-appctl', 'ovs-ofctl', 'ovsdb-client', 'ovsdb-tool'] },
	{ name: 'openvswitch-switch', provides: ['ovsdb-server', 'ovs-vsctl', '/usr/lib/openvswitch-switch/ovs-vswitchd'] },
	// Guests by vhost-user. It changes what /usr/sbin/ovs-vswitchd leads to, so each is started by its full path.
	{ name: 'openvswitch-switch-dpdk', provides: ['/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk'] },
	// DPDK finds it by itself: no other package asks for it.
	{ name: 'librte-mempool-ring23', provides: ['/usr/lib/x86_64-linux-gnu/librte_mempool_ring.so.23'] },
	{ name: 'ovn-common', provides: ['ovn-nbctl', 'ovn-sbctl', 'ovn-trace', 'ovn-appctl'] },
	{ name: 'ovn-central', provides: ['ovn-northd'] },
	{ name: 'ovn-host', provides: ['ovn-controller'] },
	{ name: 'qemu-system-x86', provides: ['qemu-system-x86_64'] },
	{ name: 'qemu-utils', provides: ['qemu-img'] },
	// Each launcher that wants libvirt starts one of its own; libvirt-daemon-system would set up a daemon of the machine.
	{ name: 'libvirt-daemon', provides: ['libvirtd'] },
	{ name: 'libvirt-daemon-driver-qemu', provides: ['/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so'] },
	{ name: 'libvirt-clients', provides: ['virsh'] },
	// Answers guests in the modes in which KubeVirt's launcher does.
	{ name: 'dnsmasq-base', provides: ['dnsmasq'] },
	{ name: 'passt', provides: ['passt'] },
	{ name: 'gcc', provides: ['gcc'] },
	{ name: 'libc6-dev', provides: ['/usr/include/stdlib.h'] },
];

/** Installed only where there is no kubectl yet: another vendor's package may own the same file. */
export const kubectlPackage: DebianPackage = { name: 'kubernetes-client', provides: ['kubectl'] };
