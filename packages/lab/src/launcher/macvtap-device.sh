#!/bin/sh
# Makes the character device of a macvtap of this network namespace: macvtap-device.sh INTERFACE PATH. /dev/tapN is no help: it is named by an index
# that other namespaces use too. Runs in a mount namespace of its own, as /sys shows the network namespace in which it was mounted.
set -e
mount -t sysfs sysfs /sys
numbers=$(cat "/sys/class/net/$1/tap"*/dev)
rm -f "$2"
mknod -m 600 "$2" c "${numbers%:*}" "${numbers#*:}"
