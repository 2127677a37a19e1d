# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams in fragments between real sockets, in any order, and jumbo frames."""
import hashlib
import sys

import pytest

import lib
from test_traffic import UDP_ROUTE, UDP_SERVER

VIPS = {4: lib.VIP4, 6: lib.VIP6}

CLIENT = """
import os, socket, sys
address, port = sys.argv[1], int(sys.argv[2])
bad = 0
for n in range(20):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.connect((address, port))
    for size in (1473, 4000, 9000, 30000, 60000):
        data = os.urandom(size)
        s.send(data)
        try:
            bad += s.recv(65535) != data
        except TimeoutError:
            bad += 1
    s.close()
print(bad)
"""

# The last fragment comes first; the answer is heard by an ordinary socket.
REVERSED = """
import os, socket, sys
from scapy.all import IP, IPv6, IPv6ExtHdrFragment, UDP, Raw, conf, fragment, fragment6, send
conf.verb = 0
address, port, bad = sys.argv[1], int(sys.argv[2]), 0
v6 = ":" in address
for n in range(10):
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(4)
    s.connect((address, port))
    source, sport = s.getsockname()[:2]
    data = os.urandom(4000 + 1000 * n)
    ports = UDP(sport=sport, dport=port) / Raw(data)
    if v6:
        head = IPv6(src=source, dst=address) / IPv6ExtHdrFragment(id=1000 + n)
        pieces = fragment6(head / ports, 1400)
    else:
        pieces = fragment(IP(src=source, dst=address, id=1000 + n) / ports, 1400)
    send(pieces[::-1])
    try:
        bad += s.recv(65535) != data
    except TimeoutError:
        bad += 1
    s.close()
print(bad)
"""


def echo(system, host="p1", text=UDP_SERVER):
    """A UDP echo server on a host, and the route to it."""
    system.net.popen(host, sys.executable, "-c", text)
    system.gw.apply(UDP_ROUTE)
    lib.wait_for("echo server", lambda: system.net.exec(host, "ss", "-Hlun").stdout)


def bad_of(system, script, address, port=7):
    """How many datagrams of a client did not come back as they were sent."""
    return system.net.exec("client", sys.executable, "-c", script, address, str(port),
                           timeout=120).stdout.strip()


@pytest.mark.parametrize("family", (4, 6))
def test_large_datagrams_are_echoed(system, family):
    echo(system)
    assert bad_of(system, CLIENT, VIPS[family]) == "0"
    assert "forward_fragment" in system.gw.ctl("stats")


@pytest.mark.parametrize("family", (4, 6))
def test_fragments_in_reversed_order_are_echoed(system, family):
    echo(system)
    assert bad_of(system, REVERSED, VIPS[family]) == "0"


@pytest.mark.parametrize("family", (4, 6))
def test_large_datagrams_to_the_hosts_own_sockets_reach_them_in_any_order(system, family):
    echo(system)
    address = VIPS[family]
    bound = f"::ffff:{address}" if family == 4 else address
    lib.wait_for("the claim", lambda: f"{address}: claimed" in system.gw.log())
    system.net.popen("gw", sys.executable, "-c",
                     UDP_SERVER.replace('"::", 7007', f'"{bound}", 9009'))
    lib.wait_for("echo server", lambda: "9009" in system.net.exec("gw", "ss", "-Hlun").stdout)
    for script in (CLIENT, REVERSED):
        assert bad_of(system, script, address, 9009) == "0"


def test_jumbo_frames_are_forwarded(net):
    for name, devices in (("client", ["c0"]), ("gw", ["front", "back"]),
                          ("sw", ["gw0", "p1", "br0"]), ("p1", ["eth0"])):
        for dev in devices:
            net.exec(name, "ip", "link", "set", dev, "mtu", "9000")
    lib.Web(net, "p1").start()
    gateway = lib.Gateway(net).start()
    gateway.apply(lib.manifest(primaries=("p1",), fallbacks=(), check=False))
    size = 20 << 20
    want = hashlib.sha256(bytes(range(256)) * (size // 256)).hexdigest()
    for vip in (lib.VIP4, f"[{lib.VIP6}]"):
        done = net.exec("client", "sh", "-c",
                        f"curl -sS --max-time 60 http://{vip}/bytes/{size} | sha256sum")
        assert done.stdout.split()[0] == want
