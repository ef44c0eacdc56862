"""Stands for a workload at its device: sends the frames that it reads from standard input and prints those that arrive, in hexadecimal, one a line.
`wire.py tap NAME QUEUES on|off` opens a tap like a VMM; `wire.py packet NAME` uses an interface beside its stack. Prints "open" first. Ends when it
is killed or its input ends."""

import errno
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
TUNSETQUEUE = 0x400454D9
IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR, IFF_DETACH_QUEUE = 0x2, 0x100, 0x1000, 0x4000, 0x400
VNET_HEADER = 10
ETH_P_ALL = 3
PACKET_OUTGOING = 4


def open_tap(name, count, state):
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (IFF_MULTI_QUEUE if count > 1 else 0)
    queues = []
    for _ in range(count):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name, flags))
        queues.append(fd)
    if state == "off":
        for fd in queues[1:]:
            fcntl.ioctl(fd, TUNSETQUEUE, struct.pack("16sH22x", name, IFF_DETACH_QUEUE))
    return queues


def read_tap(fd):
    try:
        return os.read(fd, 65536)[VNET_HEADER:]
    except OSError as error:
        # The tap is being moved: down for a moment.
        if error.errno != errno.EBADFD:
            raise
        return b""


if sys.argv[1] == "tap":
    sources = open_tap(sys.argv[2].encode(), int(sys.argv[3]), sys.argv[4])
    read = read_tap
    send = lambda frame: os.write(sources[0], bytes(VNET_HEADER) + frame)
else:
    packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    packet.bind((sys.argv[2], ETH_P_ALL))
    sources = [packet]

    def read(source):
        try:
            frame, address = source.recvfrom(65536)
        except OSError as error:
            # The interface was deleted: nothing more to see.
            sys.exit(0 if error.errno == errno.ENETDOWN else error)
        return b"" if address[2] == PACKET_OUTGOING else frame

    send = packet.send
print("open", flush=True)

pending = b""
while True:
    ready, _, _ = select.select([*sources, 0], [], [])
    for source in ready:
        if source != 0:
            frame = read(source)
            if frame:
                print(frame.hex(), flush=True)
            continue
        # Not through sys.stdin: select does not see what its buffer holds.
        data = os.read(0, 65536)
        if not data:
            sys.exit()
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            send(bytes.fromhex(line.decode()))
