"""Opens a tap by name like a VMM: hold-tap.py NAME QUEUES on|off. Prints "open" when all queues are open, then every frame that arrives, in
hexadecimal, and sends the frames that it reads from standard input in the same form. Runs until it is killed or its input ends."""

import errno
import fcntl
import os
import select
import struct
import sys

TUNSETIFF = 0x400454CA
TUNSETQUEUE = 0x400454D9
IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR, IFF_DETACH_QUEUE = 0x2, 0x100, 0x1000, 0x4000, 0x400
VNET_HEADER = 10

name, count, state = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3]
flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (IFF_MULTI_QUEUE if count > 1 else 0)
queues = []
for _ in range(count):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name, flags))
    queues.append(fd)
if state == "off":
    for fd in queues[1:]:
        fcntl.ioctl(fd, TUNSETQUEUE, struct.pack("16sH22x", name, IFF_DETACH_QUEUE))
print("open", flush=True)

while True:
    ready, _, _ = select.select([*queues, sys.stdin], [], [])
    for source in ready:
        if source is not sys.stdin:
            try:
                print(os.read(source, 65536)[VNET_HEADER:].hex(), flush=True)
            except OSError as error:
                # The tap is being moved: down for a moment.
                if error.errno != errno.EBADFD:
                    raise
            continue
        line = source.readline()
        if not line:
            sys.exit()
        os.write(queues[0], bytes(VNET_HEADER) + bytes.fromhex(line))
