#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""nameserver.py ZONE_FILE: answers questions for addresses at 127.0.0.1, port 53, over UDP.

Each line of ZONE_FILE is NAME=IPV4; it is read for each question. TTLs are 1 s. Of what is not in it
there is no such name.
"""
import socket
import struct
import sys

TYPE_A = 1


def name_of(packet):
    """The name that is asked for, and where it ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def answer(packet, zone):
    """One answer."""
    name, end = name_of(packet)
    question = packet[12:end + 4]
    address = zone.get(name.lower())
    record = b""
    if address and struct.unpack_from("!H", packet, end)[0] == TYPE_A:
        record = struct.pack("!HHHIH4s", 0xc00c, TYPE_A, 1, 1, 4, socket.inet_aton(address))
    flags = 0x8580 if address else 0x8583
    return packet[:2] + struct.pack("!HHHHH", flags, 1, bool(record), 0, 0) + question + record


def main():
    """Answers until it is killed."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        packet, peer = server.recvfrom(512)
        with open(sys.argv[1], encoding="ascii") as text:
            zone = dict(line.split("=") for line in text.read().split())
        server.sendto(answer(packet, zone), peer)


if __name__ == "__main__":
    main()
