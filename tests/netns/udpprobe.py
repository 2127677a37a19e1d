# SPDX-License-Identifier: BSD-2-Clause
"""udpprobe.py ADDR PORT TTL SIZE: one datagram; prints the ICMP error it gets as JSON, or null."""
import errno
import json
import select
import socket
import struct
import sys

TIMEOUT = 5
RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
MTU_DISCOVER = {socket.AF_INET: 10, socket.AF_INET6: 23}
PMTUDISC_DO = 2


def offender(family, data):
    """Address of who sent the error: a socket address behind struct sock_extended_err."""
    if family == socket.AF_INET:
        return socket.inet_ntop(family, data[20:24])
    return socket.inet_ntop(family, data[24:40])


def main():
    addr, port, ttl, size = sys.argv[1], *map(int, sys.argv[2:])
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    level, recverr = RECVERR[family]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(level, recverr, 1)
    sock.setsockopt(level, MTU_DISCOVER[family], PMTUDISC_DO)
    sock.setsockopt(level, socket.IP_TTL if family == socket.AF_INET else socket.IPV6_UNICAST_HOPS,
                    ttl)
    sock.connect((addr, port))
    sock.send(bytes(size))
    poll = select.poll()
    poll.register(sock, select.POLLERR)
    if not poll.poll(TIMEOUT * 1000):
        print("null")
        return
    _, messages, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    data = messages[0][2]
    number, _, kind, code, _, info, _ = struct.unpack_from("=IBBBBII", data)
    print(json.dumps({"errno": errno.errorcode[number], "type": kind, "code": code, "mtu": info,
                      "from": offender(family, data)}))


main()
