#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""encapsulate.py DEV KIND SERVER TOS COUNT_FILE VIP...: a gateway of direct return, without a choice.

What comes in by DEV for a VIP goes to SERVER in a tunnel of KIND: ipip, gue1 (GUE without a header) or
gue0:WORDS (with one, and that many words of private fields). TOS is the tunnel's; its packets may not
be fragmented. COUNT_FILE.too_big has the number of those that did not fit, COUNT_FILE.sent of all others.
Writes "ready" when it listens.
"""
import errno
import ipaddress
import os
import socket
import struct
import sys

PORT = 6080
ETH_P_ALL = 3
IPV6_DONTFRAG = 62
MTU_DISCOVER = {socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (socket.IPPROTO_IPV6, 23)}
TOS = {socket.AF_INET: (socket.IPPROTO_IP, 1), socket.AF_INET6: (socket.IPPROTO_IPV6, 67)}
PMTUDISC_DO = 2
TUNNELED = {4: 4, 6: 41}  # protocol numbers of IPv4 and IPv6 in IP


def hop(packet):
    """Makes the packet one hop older; returns its destination and the hops that are left."""
    if packet[0] >> 4 == 6:
        packet[7] -= 1
        return bytes(packet[24:40]), packet[7]
    packet[8] -= 1
    head = (packet[0] & 15) * 4
    packet[10:12] = b"\0\0"
    total = sum(struct.unpack(f"!{head // 2}H", packet[:head]))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    packet[10:12] = struct.pack("!H", ~total & 0xffff)
    return bytes(packet[16:20]), packet[8]


class Tunnel:
    """The way to the server."""

    def __init__(self, kind, server, tos):
        self.server = server
        self.family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.kind, _, words = kind.partition(":")
        self.words = int(words or 0)
        if self.kind == "ipip":
            self.by = {version: socket.socket(self.family, socket.SOCK_RAW, protocol)
                       for version, protocol in TUNNELED.items()}
        else:
            one = socket.socket(self.family, socket.SOCK_DGRAM)
            self.by = {4: one, 6: one}
        for one in self.by.values():
            one.setsockopt(*MTU_DISCOVER[self.family], PMTUDISC_DO)
            one.setsockopt(*TOS[self.family], tos)
            if self.family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)

    def send(self, packet):
        """One packet: false when it does not fit."""
        version = packet[0] >> 4
        if self.kind == "gue0":
            packet = bytes([self.words, TUNNELED[version], 0, 0]) + b"\xee" * 4 * self.words + packet
        try:
            self.by[version].sendto(packet, (self.server, 0 if self.kind == "ipip" else PORT))
        except OSError as why:
            if why.errno != errno.EMSGSIZE:
                raise
            return False
        return True


def main():
    """Until it is killed."""
    dev, kind, server, tos, count_file = sys.argv[1:6]
    vips = {ipaddress.ip_address(vip).packed for vip in sys.argv[6:]}
    tunnel = Tunnel(kind, server, int(tos))
    counts = {True: 0, False: 0}
    files = {True: os.open(count_file + ".sent", os.O_WRONLY | os.O_CREAT),
             False: os.open(count_file + ".too_big", os.O_WRONLY | os.O_CREAT)}
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    ear.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
    ear.bind((dev, ETH_P_ALL))
    print("ready", flush=True)
    while True:
        packet, (_, proto, direction, *_rest) = ear.recvfrom(65536)
        if direction == socket.PACKET_OUTGOING or proto not in (0x0800, 0x86dd):
            continue
        packet = bytearray(packet)
        to, hops = hop(packet)
        if to in vips and hops:
            fits = tunnel.send(bytes(packet))
            counts[fits] += 1
            os.pwrite(files[fits], b"%d" % counts[fits], 0)


if __name__ == "__main__":
    main()
