#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""nameserver.py ZONE_FILE: answers questions for addresses at 127.0.0.1, port 53, over UDP.

ZONE_FILE is read for each question. Its lines are NAME=VALUE,... or NAME=VALUE,.../TTL, a VALUE being an
IPv4 or IPv6 address, or @NAME: an alias. Without one the name has no address; the word SERVFAIL fails,
NXDOMAIN and what is not in the file do not exist. TTLs are 1 s unless said.
"""
import socket
import struct
import sys

TYPE_A, TYPE_CNAME, TYPE_AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN = 2, 3


def name_of(packet):
    """The name that is asked for, and where it ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


def packed(name):
    """A name as it is in packets."""
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def record(owner, kind, ttl, data):
    """One record."""
    return packed(owner) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def records(name, kind, zone):
    """The records of an answer, and its code."""
    found = []
    while name in zone:
        text, _, ttl = zone[name].partition("/")
        values, ttl = text.split(","), int(ttl or 1)
        if values[0] == "SERVFAIL":
            return [], SERVFAIL
        if values[0].startswith("@"):
            found.append(record(name, TYPE_CNAME, ttl, packed(values[0][1:])))
            name = values[0][1:]
            continue
        if values[0] == "NXDOMAIN":
            break
        family = socket.AF_INET if kind == TYPE_A else socket.AF_INET6
        return found + [record(name, kind, ttl, socket.inet_pton(family, v)) for v in values
                        if v and kind in (TYPE_A, TYPE_AAAA) and (":" in v) == (kind == TYPE_AAAA)], 0
    return found, NXDOMAIN


def answer(packet, zone):
    """One answer."""
    name, end = name_of(packet)
    kind = struct.unpack_from("!H", packet, end)[0]
    found, code = records(name.lower(), kind, zone)
    head = struct.pack("!HHHHH", 0x8580 | code, 1, len(found), 0, 0)
    return packet[:2] + head + packet[12:end + 4] + b"".join(found)


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
