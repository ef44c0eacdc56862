"""Tells who answers and whom he sees. `who.py serve NAME ADDRESS PORT` prints "up" and answers each line over TCP and each datagram over UDP with
"NAME PEER-ADDRESS"; `who.py ask tcp|udp ADDRESS PORT` connects, prints "connected" and, for each line of its standard input, the answer. It ends with
"refused" when nobody listens."""

import socket
import socketserver
import sys
import threading

role, *rest = sys.argv[1:]


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(name, address, port):
    class Stream(socketserver.StreamRequestHandler):
        def handle(self):
            for _ in self.rfile:
                self.wfile.write(f"{name} {self.client_address[0]}\n".encode())

    class Datagram(socketserver.DatagramRequestHandler):
        def handle(self):
            self.wfile.write(f"{name} {self.client_address[0]}\n".encode())

    class Streams(socketserver.ThreadingTCPServer):
        address_family = family_of(address)
        daemon_threads = True

    class Datagrams(socketserver.UDPServer):
        address_family = family_of(address)

    streams, datagrams = Streams((address, int(port)), Stream), Datagrams((address, int(port)), Datagram)
    threading.Thread(target=datagrams.serve_forever, daemon=True).start()
    print("up", flush=True)
    streams.serve_forever()


def ask(protocol, address, port):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    peer = socket.socket(family_of(address), kind)
    peer.settimeout(5)
    try:
        peer.connect((address, int(port)))
        print("connected", flush=True)
        for line in sys.stdin:
            peer.sendall(line.encode())
            print(peer.recv(1000).decode().strip(), flush=True)
    # A datagram that is rejected before it leaves its host is EPERM to the sender.
    except (ConnectionRefusedError, PermissionError):
        print("refused", flush=True)


serve(*rest) if role == "serve" else ask(*rest)
