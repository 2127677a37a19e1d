#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
quicserver.py NAME CONFIG ID PORT ADDR...: as much of a QUIC server as a gateway sees: invariant headers
(RFC 8999), connection IDs of QUIC-LB with the server ID (hexadecimal; "-": random IDs), and connections
that are known by their ID alone. Writes "ready" when it listens.

A long header opens a connection and is answered with one that says the connection's ID; a short header is answered
with JSON: who answers, for the how-manieth time, and where the packet came from; to what it does not know
the count is 0, as a stateless reset would be.
"""
import json
import os
import selectors
import socket
import sys

CID_LEN = 16


class Server:
    """Connections of all sockets."""

    def __init__(self, name, config, server_id):
        self.name, self.counts = name, {}
        self.prefix = None
        if server_id != "-":
            self.prefix = bytes([int(config) << 5 | CID_LEN - 1]) + bytes.fromhex(server_id)

    def new_id(self):
        """A connection ID of ours."""
        prefix = self.prefix or b""
        return prefix + os.urandom(CID_LEN - len(prefix))

    def answer(self, data, peer):
        """What goes back."""
        said = {"name": self.name, "count": 0, "peer": peer}
        if data[0] & 0x80:
            to = data[6:6 + data[5]]
            theirs = data[7 + len(to):7 + len(to) + data[6 + len(to)]]
            mine = self.new_id()
            self.counts[mine] = 0
            head = b"\xc0" + data[1:5] + bytes([len(theirs)]) + theirs + bytes([CID_LEN]) + mine
            return head + json.dumps(said).encode()
        cid = data[1:1 + CID_LEN]
        if cid in self.counts:
            self.counts[cid] += 1
            said["count"] = self.counts[cid]
        return b"\x40" + json.dumps(said).encode()


def main():
    """Until it is killed."""
    server = Server(*sys.argv[1:4])
    selector = selectors.DefaultSelector()
    for addr in sys.argv[5:]:
        one = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((addr, int(sys.argv[4])))
        selector.register(one, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            data, peer = key.fileobj.recvfrom(65536)
            key.fileobj.sendto(server.answer(data, peer[0]), peer)


if __name__ == "__main__":
    main()
