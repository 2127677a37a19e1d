#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
quicclient.py ADDR PORT COUNT FILE FROM...: COUNT connections to quicserver.py, opened and used from the first
address FROM. It writes "ready", waits until FILE is there, and goes on with each connection from every other
address in turn, from a port of its own each time. It ends with a line of JSON: how many connections kept
their server, by its name, and the same of those that lost it.
"""
import collections
import json
import os
import socket
import sys
import time

PACKETS = 3  # from each address
TRIES = 5


class Connection:
    """A connection of a client that moves."""

    def __init__(self, target, source):
        self.target, self.sock = target, None
        self.cid, self.server, self.count = None, None, 0
        self.move(source)
        self.open()

    def move(self, source):
        """Another address, or the same one with another port."""
        if self.sock:
            self.sock.close()
        self.sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET,
                                  socket.SOCK_DGRAM)
        self.sock.settimeout(1)
        self.sock.bind((source, 0))
        self.sock.connect(self.target)

    def ask(self, data):
        """The answer; a datagram may be lost while a neighbour is resolved."""
        for nth in range(TRIES):
            self.sock.send(data)
            try:
                return self.sock.recv(65536)
            except (TimeoutError, ConnectionRefusedError):
                if nth == TRIES - 1:
                    raise
        return None

    def open(self):
        """The handshake: an ID that the client made up, and the server's own from then on."""
        mine = os.urandom(8)
        got = self.ask(b"\xc0\0\0\0\1\x08" + os.urandom(8) + b"\x08" + mine + bytes(1150))
        assert got[6:14] == mine
        self.cid = got[15:15 + got[14]]
        self.server = json.loads(got[15 + got[14]:])["name"]

    def stays(self):
        """Does its server still know the connection?"""
        for _ in range(PACKETS):
            got = json.loads(self.ask(b"\x40" + self.cid + os.urandom(40))[1:])
            if got["name"] != self.server or got["count"] <= self.count:
                return False
            self.count = got["count"]
        return True


def main():
    """See above."""
    target, number = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    first, *others = sys.argv[5:]
    all_of_them = [Connection(target, first) for _ in range(number)]
    kept, lost = collections.Counter(), collections.Counter()
    for one in all_of_them:
        assert one.stays()
    print("ready", flush=True)
    while not os.path.exists(sys.argv[4]):
        time.sleep(0.02)
    for one in all_of_them:
        stayed = True
        for source in others:
            one.move(source)
            stayed = stayed and one.stays()
        (kept if stayed else lost)[one.server] += 1
    print(json.dumps({"kept": kept, "lost": lost}), flush=True)


if __name__ == "__main__":
    main()
