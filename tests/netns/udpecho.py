#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""udpecho.py PORT ADDR...: UDP at these addresses; each answer is "CLIENT-ADDRESS DATA", from the
address that was asked. Writes "ready" when it listens."""
import selectors
import socket
import sys


def main():
    """Until it is killed."""
    selector = selectors.DefaultSelector()
    for addr in sys.argv[2:]:
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.bind((addr, int(sys.argv[1])))
        selector.register(one, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            data, peer = key.fileobj.recvfrom(65536)
            key.fileobj.sendto(peer[0].encode() + b" " + data, peer)


if __name__ == "__main__":
    main()
