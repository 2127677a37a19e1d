# SPDX-License-Identifier: BSD-2-Clause
"""
Two gateways that share clients: whatever order their manifests came in and whatever happened before, their
tables are equal, and a client whose packets come by both, one by one, reaches one server.
"""
import concurrent.futures
import hashlib
import os
import signal

import pytest

import direct
import lib
import test_direct

FAMILIES = (4, 6)
HOSTS = test_direct.HOSTS
NOISE = hashlib.shake_128(b"spray").digest(1 << 20)
IDLE_S = 6


def add_gateway(net):
    """A second gateway beside the first: a cable to the client, and one to the servers' switch."""
    net.ns("gw2")
    net.veth("client", "c2", "gw2", "front")
    net.veth("sw", "gw2", "gw2", "back")
    net.exec("sw", "ip", "link", "set", "gw2", "master", "br0")
    net.addr("client", "c2", "198.51.101.2/24", "2001:db8:e::2/64")
    net.addr("gw2", "front", "198.51.101.1/24", "2001:db8:e::1/64")
    net.addr("gw2", "back", "203.0.113.2/24", "2001:db8:b::2/64")


def spray(net):
    """Each packet to the VIPs goes by either gateway, as chance has it, and is as large as on the wire."""
    for family, vips, via in (("-4", "192.0.2.0/24", "198.51.101.1"),
                              ("-6", "2001:db8::/64", "2001:db8:e::1")):
        net.exec("client", "ip", family, "route", "add", vips, "via", via, "table", "2")
        net.exec("client", "ip", family, "rule", "add", "fwmark", "2", "lookup", "2")
    for name in ("c0", "c2"):
        net.exec("client", "ip", "link", "set", name, "gso_max_segs", "1")
        net.exec("client", "sysctl", "-qw", f"net.ipv4.conf.{name}.rp_filter=0")
    net.exec("client", "nft", "-f", "-", stdin=f"""
table inet spray {{
  chain output {{
    type route hook output priority mangle;
    ip daddr {lib.VIP4} numgen random mod 2 0 meta mark set 2
    ip6 daddr {lib.VIP6} numgen random mod 2 0 meta mark set 2
  }}
}}
""")


def documents(mode, hosts=HOSTS):
    """The manifest's documents by kind and name, with flows that are soon forgotten."""
    found = {}
    for text in test_direct.manifest(mode, hosts).split("---"):
        kind = text.split("kind: ")[1].split()[0]
        name = text.split("name: ")[1].split("}")[0].split()[0]
        if kind.endswith("Route"):
            text = text.replace(f"metadata: {{name: {name}}}", f"""
metadata:
  name: {name}
  annotations: {{spillway.dev/idle-timeout-established: {IDLE_S}s}}""")
        found[kind, name] = text
    return found


def tables(gateway):
    """Of each service, its table."""
    return {(s["vip"], s["port"], s["protocol"]): s["table"]
            for s in gateway.json("endpoints")["services"]}


def digests(gateway):
    """Of each service, the digest of its table."""
    return {key: table and table["digest"] for key, table in tables(gateway).items()}


class Pair:
    """Two gateways and the servers behind them; a client that sprays."""

    def __init__(self, net):
        self.net = net
        add_gateway(net)
        test_direct.bypass(net)
        self.web = {host: lib.Web(net, host).start() for host in HOSTS}
        self.first = lib.Gateway(net).start()
        self.second = lib.Gateway(net, "gw2").start()
        self.both = (self.first, self.second)

    def serve(self, mode):
        """The servers, of that mode."""
        args = ("--add-vip", "--mss", "off") if mode == "l2" else ("--add-vip",)
        for host in HOSTS:
            direct.RealServer(self.net, host, args=args).start()

    def settle(self):
        """Waits until no slot is in motion."""
        lib.wait_for("settled slots", lambda: all(
            t["inMotion"] == 0 for g in self.both for t in tables(g).values()), IDLE_S + 30, 0.5)

    def upload(self, family):
        """Whether the server that a connection of ours reached got all of what we sent."""
        path = os.path.join(self.net.dir, "noise")
        got = self.net.exec("client", "curl", "-sS", "--max-time", "60", "-H", "Expect:",
                            "--data-binary", f"@{path}", direct.url(family, "/sum")).stdout
        return got == hashlib.sha256(NOISE).hexdigest()


@pytest.fixture(name="pair")
def gateways(net):
    """Two gateways without manifests."""
    it = Pair(net)
    with open(os.path.join(net.dir, "noise"), "wb") as out:
        out.write(NOISE)
    yield it
    for gateway in it.both:
        print(gateway.log())


def give_at_once(gateway, mode):
    """All in one apply."""
    gateway.apply("---".join(documents(mode).values()))


def give_by_and_by(gateway, mode):
    """In another order and by way of much else, so that endpoints have other numbers."""
    docs = documents(mode)
    backwards = documents(mode, tuple(reversed(HOSTS)))
    gateway.apply(docs["TCPRoute", "web"])
    gateway.apply(documents("nat", ("p3",))["Backend", "web"])
    gateway.apply(docs["Gateway", "edge"])
    gateway.apply(documents(mode, ("f1", "f2", "p2"))["Backend", "web"])
    gateway.apply(docs["UDPRoute", "echo"])
    gateway.apply(backwards["Backend", "web"])
    gateway.ctl("set", "endpoint", lib.addr4("p2"), "--state", "down")
    gateway.kill()
    gateway.start()
    gateway.apply(docs["Backend", "echo"])
    gateway.ctl("set", "endpoint", lib.addr4("p2"), "--state", "auto")
    gateway.kill(signal.SIGTERM)
    gateway.start()


@pytest.mark.parametrize("mode", ("ipip", "l2", "gue"))
def test_packets_sprayed_over_two_gateways_reach_one_server(pair, mode):
    pair.serve(mode)
    give_at_once(pair.first, mode)
    give_by_and_by(pair.second, mode)
    assert None not in digests(pair.first).values() and len(digests(pair.first)) == 4
    assert digests(pair.first) == digests(pair.second)
    pair.settle()
    spray(pair.net)
    before = [g.counters()["flow_created"] for g in pair.both]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(pair.upload, FAMILIES * 12))
    for family in FAMILIES:
        result = lib.fetch(pair.net, direct.VIPS[family], 200, parallel=8, port=8080)
        assert result["errors"] == [] and set(result["answers"]) == set(HOSTS)
    rows = [g.endpoints() for g in pair.both]
    for host in HOSTS:
        for family in FAMILIES:  # half of each server's packets came by either
            counts = [r[lib.endpoint(host, family)]["packetsIn"] for r in rows]
            assert min(counts) > 100 and max(counts) < 2 * min(counts), counts
    assert [g.counters()["flow_created"] for g in pair.both] == before


def test_tables_are_equal_again_once_health_is(pair):
    for gateway in pair.both:
        gateway.apply(lib.manifest())
    for gateway in pair.both:
        for host in HOSTS:
            gateway.wait_state(lib.endpoint(host), "up")
            gateway.wait_state(lib.endpoint(host, 6), "up")
    whole = digests(pair.first)
    assert whole == digests(pair.second)
    pair.second.ctl("set", "endpoint", lib.addr4("p1"), "--state", "down")
    assert digests(pair.first) == whole
    ours = digests(pair.second)
    assert [key for key in whole if ours[key] != whole[key]] == [(lib.VIP4, 80, "TCP")]
    pair.web["p1"].kill()
    for gateway in pair.both:
        gateway.wait_state(lib.endpoint("p1", 6), "down")
        gateway.wait_state(lib.endpoint("p1"), "down")
    lib.wait_for("equal tables", lambda: digests(pair.first) == digests(pair.second), 5)
    assert not set(digests(pair.first).values()) & set(whole.values())
