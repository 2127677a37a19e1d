# SPDX-License-Identifier: BSD-2-Clause
"""
ICMP through the gateway, with a router on either side of it:

    client -- cr -- [front] gw [back] -- sr -- p1

The routers' routes to the client and to the server have a smaller MTU than every interface.
"""
import hashlib
import json
import os
import sys

import pytest

import lib

VIPS = {4: lib.VIP4, 6: lib.VIP6}
MTU = 1400
LINKS = (  # (namespace, device, IPv4, IPv6) twice
    ("client", "c0", "198.51.100.2/24", "2001:db8:f::2/64",
     "cr", "near", "198.51.100.1/24", "2001:db8:f::1/64"),
    ("cr", "far", "100.64.1.2/24", "2001:db8:a1::2/64",
     "gw", "front", "100.64.1.1/24", "2001:db8:a1::1/64"),
    ("sr", "far", "100.64.2.2/24", "2001:db8:a2::2/64",
     "gw", "back", "100.64.2.1/24", "2001:db8:a2::1/64"),
    ("p1", "eth0", "203.0.113.11/24", "2001:db8:b::11/64",
     "sr", "near", "203.0.113.1/24", "2001:db8:b::1/64"),
)
ROUTES = (
    ("client", "default", "198.51.100.1"), ("client", "default", "2001:db8:f::1"),
    ("cr", "192.0.2.0/24", "100.64.1.1"), ("cr", "2001:db8::/64", "2001:db8:a1::1"),
    ("gw", "198.51.100.0/24", "100.64.1.2"), ("gw", "2001:db8:f::/64", "2001:db8:a1::2"),
    ("gw", "203.0.113.0/24", "100.64.2.2"), ("gw", "2001:db8:b::/64", "2001:db8:a2::2"),
    ("p1", "default", "203.0.113.1"), ("p1", "default", "2001:db8:b::1"),
)
NARROW = (
    ("cr", "198.51.100.2"), ("cr", "2001:db8:f::2"), ("sr", "203.0.113.11"),
    ("sr", "2001:db8:b::11"),
)
UDP = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {name: udp}
spec:
  parentRefs: [{name: edge}]
  rules:
  - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: web}]
"""


def build(net, narrow=NARROW):
    """Namespaces, cables, addresses and routes, some of which are narrow."""
    for name in ("client", "cr", "gw", "sr", "p1"):
        net.ns(name)
    for a, a_dev, a4, a6, b, b_dev, b4, b6 in LINKS:
        net.veth(a, a_dev, b, b_dev)
        net.addr(a, a_dev, a4, a6)
        net.addr(b, b_dev, b4, b6)
    for router in ("cr", "sr"):
        net.exec(router, "sysctl", "-qw", "net.ipv4.ip_forward=1",
                 "net.ipv6.conf.all.forwarding=1", "net.ipv4.icmp_ratelimit=0",
                 "net.ipv6.icmp.ratelimit=0")
    for name, to, via in ROUTES:
        net.exec(name, "ip", "-6" if ":" in via else "-4", "route", "add", to, "via", via)
    for name, to in narrow:
        net.exec(name, "ip", "-6" if ":" in to else "-4", "route", "add", to, "dev", "near", "mtu",
                 str(MTU))


@pytest.fixture
def routed():
    """The network of the head of this file, a web server on p1 and the gateway."""
    with lib.Net() as net:
        build(net)
        net.web = lib.Web(net, "p1").start()
        net.gw = lib.Gateway(net).start()
        text = lib.manifest(primaries=("p1",), fallbacks=(), check=False).replace(
            "protocol: TCP}", "protocol: TCP}\n  - {name: udp, port: 53, protocol: UDP}")
        net.gw.apply(text + UDP)
        yield net
        print(net.gw.log(), net.gw.counters())


def probe(net, family, ttl=64, size=100):
    """The ICMP error that a datagram of the client gets."""
    done = net.exec("client", sys.executable, os.path.join(lib.HERE, "udpprobe.py"), VIPS[family],
                    "53", str(ttl), str(size))
    return json.loads(done.stdout)


def url(family):
    """The VIP as curl wants it."""
    return f"http://{VIPS[family] if family == 4 else f'[{VIPS[family]}]'}"


@pytest.mark.parametrize("family", (4, 6))
def test_a_download_finds_the_mtu_of_its_path(routed, family):
    size = 50 << 20
    done = routed.exec("client", "sh", "-c", f"curl -sS --max-time 60 {url(family)}/bytes/{size} "
                       "| sha256sum", timeout=90)
    want = hashlib.sha256(bytes(range(256)) * (size // 256)).hexdigest()
    assert done.stdout.split()[0] == want
    assert routed.gw.counters()["forward_icmp"] > 0


@pytest.mark.parametrize("family", (4, 6))
def test_an_upload_finds_the_mtu_of_its_path(routed, family):
    size = 50 << 20
    done = routed.exec("client", "sh", "-c", f"head -c {size} /dev/zero | curl -sS --max-time 60 "
                       f"-H 'Expect:' --data-binary @- {url(family)}/", timeout=90)
    assert done.stdout == str(size)
    assert routed.gw.counters()["forward_icmp"] > 0


@pytest.mark.parametrize("family", (4, 6))
def test_a_client_hears_that_a_udp_port_is_closed(routed, family):
    heard = probe(routed, family)
    assert heard["errno"] == "ECONNREFUSED"
    assert heard["from"] == VIPS[family]
    assert routed.gw.counters()["forward_icmp"] == 1


@pytest.mark.parametrize("family", (4, 6))
def test_a_client_hears_of_a_narrower_path_behind_the_gateway(routed, family):
    heard = probe(routed, family, size=1440)
    assert heard["errno"] == "EMSGSIZE"
    assert (heard["mtu"], heard["from"]) == (MTU, VIPS[family])


@pytest.mark.parametrize("family", (4, 6))
def test_a_traceroute_sees_every_hop(routed, family):
    router = "198.51.100.1" if family == 4 else "2001:db8:f::1"
    gateway = "100.64.2.1" if family == 4 else "2001:db8:a2::1"
    hops = [probe(routed, family, ttl=ttl) for ttl in (1, 2, 3, 4)]
    exceeded = (11, 0) if family == 4 else (3, 0)
    assert [h["from"] for h in hops] == [router, gateway] + [VIPS[family]] * 2
    assert [(h["type"], h["code"]) for h in hops[:3]] == [exceeded] * 3
    assert hops[3]["errno"] == "ECONNREFUSED"
    counters = routed.gw.counters()
    assert counters["ttl_exceeded_sent"] == 1
    assert counters["forward_icmp"] == 2
