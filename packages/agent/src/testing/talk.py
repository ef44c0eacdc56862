"""One TCP conversation: `talk.py serve ADDRESS` prints "up", answers one peer with what it sends and prints the peer's address; `talk.py call ADDRESS`
sends more than a segment and prints "talked" when all of it came back."""

import socket
import sys

PORT = 7
SIZE = 5000

role, address = sys.argv[1:]
if role == "serve":
    listener = socket.create_server((address, PORT), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    print("up", flush=True)
    peer, name = listener.accept()
    left = SIZE
    while left > 0:
        data = peer.recv(65536)
        peer.sendall(data)
        left -= len(data)
    print(name[0])
else:
    peer = socket.create_connection((address, PORT), 5)
    peer.sendall(b"x" * SIZE)
    left = SIZE
    while left > 0:
        data = peer.recv(65536)
        if not data:
            sys.exit("cut off")
        left -= len(data)
    print("talked")
