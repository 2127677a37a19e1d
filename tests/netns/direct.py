# SPDX-License-Identifier: BSD-2-Clause
"""
Direct return in the topology of lib.py: the gateway's namespace routes what servers answer, so their
packets reach clients without a word of the gateway's data path. A RealServer has spillway-decap and the
VIPs; an Encapsulator is a gateway that sends all to one server.
"""
import os
import re
import sys

import lib

DECAP = os.path.join(lib.BUILD, "spillway-decap")
VIPS = {4: lib.VIP4, 6: lib.VIP6}
CLIENTS = {4: "198.51.100.2", 6: "2001:db8:f::2"}


def url(family, path="/", port=8080):
    """An URL at the VIP."""
    return f"http://{VIPS[family] if family == 4 else f'[{VIPS[family]}]'}:{port}{path}"


def route_answers(net, *servers):
    """Servers reach clients by way of the gateway's kernel, which knows no way to the VIPs."""
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    net.exec("gw", "ip", "route", "add", "blackhole", "192.0.2.0/24")
    net.exec("gw", "ip", "route", "add", "blackhole", "2001:db8::/64")
    for host in servers:
        net.exec(host, "ip", "route", "add", "default", "via", "203.0.113.1")
        net.exec(host, "ip", "route", "add", "default", "via", "2001:db8:b::1")


def await_ready(process):
    """Waits until a process of ours has written `ready`; fails with what it wrote when it ends."""
    def text():
        with open(process.log_path, encoding="utf8", errors="replace") as log:
            return log.read()

    def ready():
        if process.poll() is not None:
            raise lib.Failed(f"{process.args}: ended with {process.returncode}\n{text()}")
        return re.search(r"\bready\b", text())

    lib.wait_for(f"{process.args} ready", ready, timeout=20)
    return process


class RealServer:
    """spillway-decap on a server, in directories of its own."""

    def __init__(self, net, host="p1", args=("--add-vip",), vips=tuple(VIPS.values()),
                 interface="eth0"):
        self.net, self.host = net, host
        self.dirs = ["--bpffs", os.path.join(net.dir, f"{host}-decap-bpf"),
                     "--run-dir", os.path.join(net.dir, f"{host}-decap-run")]
        self.args = ["--interface", interface, *(f"--vip={vip}" for vip in vips), *args]
        self.process = None

    def start(self, *more):
        """Starts it and waits for its `ready`."""
        self.process = self.net.popen(self.host, DECAP, *self.dirs, *self.args, *more)
        await_ready(self.process)
        return self

    def log(self):
        """What it wrote since its latest start."""
        with open(self.process.log_path, encoding="utf8") as log:
            return log.read()

    def kill(self, sig=lib.signal.SIGKILL):
        """Ends it; packets are taken out all the same."""
        self.net.kill(self.process, sig)

    def detach(self, **kw):
        """spillway-decap --detach"""
        return self.net.exec(self.host, DECAP, "--detach", *self.dirs, **kw)

    def stats(self):
        """Counters by name."""
        text = self.net.exec(self.host, DECAP, "stats", *self.dirs[:2]).stdout
        return {row.split()[0]: int(row.split()[1]) for row in text.splitlines()}


class Encapsulator:
    """encapsulate.py in the gateway's namespace: KIND by an outer FAMILY to a server."""

    def __init__(self, net, kind="ipip", family=4, host="p1", tos=0):
        # a packet socket sees what GRO has put together: no packet of anybody's
        net.exec("gw", "ethtool", "-K", "front", "gro", "off")
        self.file = os.path.join(net.dir, f"encapsulate-{next(net.links)}")
        server = lib.addr4(host) if family == 4 else lib.addr6(host)
        self.process = await_ready(net.popen(
            "gw", sys.executable, os.path.join(lib.HERE, "encapsulate.py"), "front", kind, server,
            str(tos), self.file, *VIPS.values()))

    def count(self, what):
        """Packets `sent`, or those that were `too_big`."""
        with open(f"{self.file}.{what}", encoding="ascii") as text:
            return int(text.read() or 0)


def udp_echo(net, host="p1", port=5353):
    """udpecho.py at the VIPs, which the server must have."""
    return await_ready(net.popen(host, sys.executable, os.path.join(lib.HERE, "udpecho.py"),
                                 str(port), *VIPS.values()))


ASK = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b"x" * int(sys.argv[3]))
print(s.recv(65536).decode())
"""


def ask_udp(net, family, size=64, port=5353, client="client"):
    """The address that the server says the datagram came from."""
    done = net.exec(client, sys.executable, "-c", ASK, VIPS[family], str(port), str(size))
    address, data = done.stdout.split()
    assert data == "x" * size
    return address
