# SPDX-License-Identifier: BSD-2-Clause
"""
QUIC clients whose address changes: with server ids in connection IDs they keep their server, in mode nat and in
direct return, also while endpoints drain and the daemon starts again; without, most of them lose it.
"""
import json
import os
import sys

import pytest

import direct
import lib
import test_direct

PORT = 5353
HOSTS = test_direct.HOSTS
FROM = {4: ("198.51.100.2", "198.51.100.2", "198.51.100.3"),
        6: ("2001:db8:f::2", "2001:db8:f::2", "2001:db8:f::3")}
CONNECTIONS = 40
IDS = {"spillway.dev/quic-server-ids": "3: address/2"}


def manifest(mode, notes):
    """The servers of both families, with these annotations."""
    rows = "\n".join(f"  - ip: {{address: '{a}', port: {PORT}}}"
                     for h in HOSTS for a in (lib.addr4(h), lib.addr6(h)))
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses:
  - value: {lib.VIP4}
  - value: {lib.VIP6}
  listeners:
  - {{name: quic, port: {PORT}, protocol: UDP}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: quic
  annotations: {json.dumps({"spillway.dev/forwarding": mode, **notes})}
spec:
  endpoints:
{rows}
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {{name: quic}}
spec:
  parentRefs: [{{name: edge}}]
  rules:
  - backendRefs:
    - {{group: gateway.envoyproxy.io, kind: Backend, name: quic}}
"""


class Rig:
    """Three servers, a gateway, and clients that move."""

    def __init__(self, net, mode):
        self.net, self.mode = net, mode
        net.addr("client", "c0", "198.51.100.3/24", "2001:db8:f::3/64")
        if mode != "nat":
            test_direct.bypass(net)
        self.gw = lib.Gateway(net).start()

    def start(self, notes, config="3"):
        """Servers with ids of two octets of configuration 3, and the manifest."""
        for host in HOSTS:
            addrs = (lib.addr4(host), lib.addr6(host))
            if self.mode != "nat":
                direct.RealServer(self.net, host).start()
                addrs = tuple(direct.VIPS.values())
            # The last two octets of either address: 203.0.113.N and 2001:db8:b::N.
            for addr, own in zip(addrs, (lib.addr4(host), lib.addr6(host))):
                direct.await_ready(self.net.popen(
                    host, sys.executable, os.path.join(lib.HERE, "quicserver.py"), host, config,
                    last_octets(own), str(PORT), addr))
        self.gw.apply(manifest(self.mode, notes))
        return self

    def clients(self, family):
        """Clients that have connections and wait; the file that lets them move."""
        go = os.path.join(self.net.dir, f"go-{next(self.net.links)}")
        return direct.await_ready(self.net.popen(
            "client", sys.executable, os.path.join(lib.HERE, "quicclient.py"),
            direct.VIPS[family], str(PORT), str(CONNECTIONS), go, *FROM[family])), go

    @staticmethod
    def end(clients):
        """They move, each to another port and another address: who kept and lost its server."""
        process, go = clients
        with open(go, "w", encoding="ascii"):
            pass
        process.wait(60)
        with open(process.log_path, encoding="utf8") as log:
            text = log.read()
        assert process.returncode == 0, text
        return json.loads(text.splitlines()[-1])


def last_octets(addr):
    """Two of them, in hexadecimal."""
    if ":" in addr:
        return f"{int(addr.rsplit(':', 1)[1], 16):04x}"
    return bytes(int(part) for part in addr.split(".")[2:]).hex()


@pytest.fixture(name="rig", params=("nat", "ipip", "l2"))
def quic_rig(net, request):
    """The topology of one mode."""
    it = Rig(net, request.param)
    yield it
    print(it.gw.log())


def test_a_client_whose_address_changes_keeps_its_server(rig):
    rig.start(IDS)
    for family in (4, 6):
        result = rig.end(rig.clients(family))
        assert result["lost"] == {} and sum(result["kept"].values()) == CONNECTIONS, result
        assert set(result["kept"]) == set(HOSTS)
    counters = rig.gw.counters()
    assert counters["quic_routed"] >= 2 * 2 * CONNECTIONS
    assert counters["quic_unknown"] == 0
    text = rig.gw.ctl("describe", "backend", "quic")
    for host in HOSTS:
        rows = [line.split() for line in text.splitlines()]
        assert [lib.endpoint(host, 4, PORT), "3", last_octets(lib.addr4(host))] in rows
        assert [lib.endpoint(host, 6, PORT), "3", last_octets(lib.addr6(host))] in rows
    assert "of configuration 3 (2 octets)" in text


def test_clients_move_while_their_server_drains_and_the_daemon_starts_again(rig):
    rig.start(IDS)
    waiting = {family: rig.clients(family) for family in (4, 6)}
    for family in waiting:
        rig.gw.ctl("set", "endpoint", lib.endpoint("p1", family, PORT), "--state", "drain")
    rig.gw.kill()
    rig.gw.start()
    for clients in waiting.values():
        result = rig.end(clients)
        assert result["lost"] == {} and result["kept"]["p1"] > 0, result


def test_without_ids_or_with_a_server_that_is_down_they_go_by_addresses_and_ports(rig):
    rig.start({})
    result = rig.end(rig.clients(4))
    # Two moves among three servers: one of nine stays by chance.
    assert sum(result["lost"].values()) > CONNECTIONS / 2, result
    assert rig.gw.counters()["quic_routed"] == 0
    rig.gw.apply(manifest(rig.mode, IDS))
    clients = rig.clients(4)
    rig.gw.ctl("set", "endpoint", lib.endpoint("p1", 4, PORT), "--state", "down")
    result = rig.end(clients)
    assert set(result["lost"]) == {"p1"} and set(result["kept"]) == {"p2", "p3"}, result
    assert rig.gw.counters()["quic_unknown"] > 0
