#!/bin/sh
# Runs a libvirtd that belongs to one launcher: below process 1 of its own process namespace, in its own mount namespace. Writes a line to descriptor 3
# when it serves.
# $1: directory of its files. $2: directory of the guest image, which the VMM's user need not be able to reach where it is. $3: directory for what
# libvirt finds out about QEMU. $4: the accelerator.
set -e
mkdir -p /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /run/libvirt
mount --bind "$1/etc" /etc/libvirt
mount --bind "$1/lib" /var/lib/libvirt
mount --bind "$1/log" /var/log/libvirt
mount --bind "$1/run" /run/libvirt
mount --bind "$2" "$1/guest"
mount --bind "$3" /var/cache/libvirt
# Debian's libvirt does not start without the user that a machine-wide daemon would take; the machine is not to get one.
for file in passwd group; do
	cat "/etc/$file" >"$1/$file"
	mount --bind "$1/$file" "/etc/$file"
done
echo libvirt-qemu:x:107:107::/nonexistent:/usr/sbin/nologin >>/etc/passwd
echo libvirt-qemu:x:107: >>/etc/group
# libvirt takes a tap for a macvtap when there is a /dev/tapN with its index, and that of any pod's macvtap is there: it gets no more devices than it needs.
mkdir -p "$1/dev"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
mkdir "$1/dev/net" "$1/dev/pts" "$1/dev/shm"
ln -s /proc/self/fd "$1/dev/fd"
for device in null zero full random urandom tty ptmx net/tun kvm; do
	[ -e "/dev/$device" ] || continue
	touch "$1/dev/$device"
	mount --bind "/dev/$device" "$1/dev/$device"
done
for directory in pts shm; do mount --bind "/dev/$directory" "$1/dev/$directory"; done
mount --rbind "$1/dev" /dev
# What libvirt finds out about KVM with its own rights it forgets at once when its QEMU's user has others: so both can open the device, or nobody can.
if [ -e /dev/kvm ]; then
	rm -f "$1/kvm"
	if [ "$4" = kvm ]; then mknod -m 600 "$1/kvm" c 10 232 && chown 107:107 "$1/kvm"; else install -m 0 /dev/null "$1/kvm"; fi
	mount --bind "$1/kvm" /dev/kvm
fi
# Of all that libvirt manages only machines are needed: the rest would look for devices, bridges and firewalls.
ln -sf /usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so "$1/drivers/"
LIBVIRT_DRIVER_DIR="$1/drivers" libvirtd --daemon --config "$1/etc/libvirtd.conf" --pid-file "$1/run/libvirtd.pid"
echo ready >&3
exec 3>&-
# Process 1 has to collect what ends: libvirt waits for its QEMU to be gone altogether.
sleep infinity &
wait
