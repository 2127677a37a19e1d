# SPDX-License-Identifier: BSD-2-Clause
"""More than two tiers, zones, slow start, and what happens when nobody is left."""
import sys
import time

import pytest

import lib
from load import Connections


def backend(name, hosts, zones=None, **annotations):
    """A Backend of IPv4 endpoints."""
    rows = "\n".join(
        f"  - {{ip: {{address: {lib.addr4(h)}, port: 8080}}"
        + (f", zone: {zones[h]}" if zones else "") + "}" for h in hosts)
    notes = ", ".join(f"'spillway.dev/{key}': '{value}'" for key, value in annotations.items())
    return f"""---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}, annotations: {{{notes}}}}}
spec:
  endpoints:
{rows}
"""


def route(refs, balancer="", **annotations):
    """Gateway, route and policy over Backends."""
    notes = ", ".join(f"'spillway.dev/{key.replace('_', '-')}': {value}"
                      for key, value in annotations.items())
    rows = "\n".join(f"    - {{group: gateway.envoyproxy.io, kind: Backend, name: {r}}}" for r in refs)
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}]
  listeners: [{{name: web, port: 80, protocol: TCP}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: web, annotations: {{{notes}}}}}
spec:
  parentRefs: [{{name: edge}}]
  rules:
  - backendRefs:
{rows}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: web}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: TCPRoute, name: web}}]
{balancer}
  healthCheck:
    panicThreshold: 0
    active: {{type: HTTP, interval: 200ms, timeout: 1s, unhealthyThreshold: 2, http: {{path: /healthz}}}}
"""


def part(system, hosts, requests=2000):
    """Percent of the answers that came from these hosts."""
    result = system.fetch(requests)
    assert result["errors"] == []
    return 100 * sum(result["answers"].get(h, 0) for h in hosts) / requests


def test_three_tiers_take_over_one_after_the_other(system):
    system.gw.apply(route(["a", "b", "c"]) + backend("a", ["p1", "p2"])
                    + backend("b", ["p3", "f1"], tier=1) + backend("c", ["f2"], tier=2))
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
    assert part(system, ["p1", "p2"]) == 100
    for down, shares in (("p1", (70, 30, 0)), ("p2", (0, 100, 0)), ("p3", (0, 70, 30)),
                         ("f1", (0, 0, 100))):
        system.web[down].answer_with(503)
        system.gw.wait_state(lib.endpoint(down), "down")
        result = system.fetch(2000)
        assert result["errors"] == []
        for hosts, due in zip((("p1", "p2"), ("p3", "f1"), ("f2",)), shares):
            assert abs(sum(result["answers"].get(h, 0) for h in hosts) / 20 - due) < 4
    text = system.gw.ctl("endpoints", "web")
    assert "tier 0: 0/2 up × 1.4 = 0 %" in text and "tier 2 takes 100 %" in text


def test_slow_start_gives_a_recovered_endpoint_its_share_little_by_little(system):
    system.gw.apply(route(["a"], "  loadBalancer: {type: RoundRobin, slowStart: {window: 6s}}")
                    + backend("a", ["p1", "p2"]))
    for host in ("p1", "p2"):
        lib.wait_for("up", lambda h=host: system.gw.endpoints()[lib.endpoint(h)]["state"] == "up",
                     timeout=20)
    system.web["p1"].answer_with(503)
    system.gw.wait_state(lib.endpoint("p1"), "down")
    system.web["p1"].answer_with(200)
    system.gw.wait_state(lib.endpoint("p1"), "starting")
    first = part(system, ["p1"], 600)
    assert 0 < first < 25
    system.gw.wait_state(lib.endpoint("p1"), "up")
    assert abs(part(system, ["p1"]) - 50) < 5


def test_the_own_zone_is_preferred(net):
    for host in lib.SERVERS:
        lib.Web(net, host).start()
    zones = {"p1": "east", "p2": "east", "p3": "west", "f1": "west"}
    text = route(["a"], "  loadBalancer: {type: RoundRobin, zoneAware: {preferLocal: "
                 "{minEndpointsThreshold: 2}}}") + backend("a", list(zones), zones)
    gateway = lib.Gateway(net).start("--zone", "east")
    gateway.apply(text)
    for host in zones:
        gateway.wait_state(lib.endpoint(host), "up")
    assert set(lib.fetch(net, lib.VIP4, 300)["answers"]) == {"p1", "p2"}
    gateway.kill()
    gateway.start()  # without a zone
    lib.wait_for("all zones", lambda: set(
        lib.fetch(net, lib.VIP4, 300)["answers"]) == set(zones))
    assert "--zone" in gateway.ctl("describe", "backend", "a")


def test_zones_are_weighted(system):
    zones = {"p1": "east", "p2": "east", "p3": "west"}
    system.gw.apply(route(["a"], "  loadBalancer: {type: RoundRobin, zoneAware: {weightedZones: "
                          "[{zone: east, weight: 1}, {zone: west, weight: 3}]}}")
                    + backend("a", list(zones), zones))
    for host in zones:
        system.gw.wait_state(lib.endpoint(host), "up")
    assert abs(part(system, ["p3"]) - 75) < 4


CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 80), timeout=2)"


@pytest.mark.parametrize("policy, error", (
    ("answer", "ConnectionRefusedError"), ("unreachable", "No route to host"),
    ("drop", "timed out"), ("pass", "ConnectionRefusedError")))
def test_without_endpoints_new_connections_get_what_the_annotation_says(system, policy, error):
    system.gw.apply(route(["a"], no_endpoint=policy) + backend("a", ["p1"]))
    system.gw.wait_state(lib.endpoint("p1"), "up")
    held = Connections(system.net, 10)
    system.gw.ctl("set", "endpoint", lib.endpoint("p1"), "--state", "down")
    done = system.net.exec("client", sys.executable, "-c", CONNECT, lib.VIP4, check=False)
    assert error in done.stderr, done.stderr
    assert system.gw.counters()["pass_no_endpoint"] == (1 if policy == "pass" else 0)
    assert held.use() == held.where  # established ones are left by default


@pytest.mark.parametrize("policy", ("answer", "drop", "pass"))
def test_without_endpoints_established_connections_get_what_the_annotation_says(system, policy):
    system.gw.apply(route(["a"], no_endpoint_established=policy) + backend("a", ["p1"]))
    system.gw.wait_state(lib.endpoint("p1"), "up")
    held = Connections(system.net, 10)
    system.gw.ctl("set", "endpoint", lib.endpoint("p1"), "--state", "down")
    began = time.monotonic()
    assert held.use(2) == [None] * 10
    took = time.monotonic() - began
    assert took > 1.5 if policy == "drop" else took < 1.5


def test_a_udp_client_is_told_that_nobody_is_left(system):
    text = route(["a"]).replace("TCPRoute", "UDPRoute").replace("protocol: TCP", "protocol: UDP") \
        .split("---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy")[0]
    system.gw.apply(text + backend("a", ["p1"]))
    system.gw.ctl("set", "endpoint", lib.endpoint("p1"), "--state", "down")
    done = system.net.exec("client", sys.executable, "-c", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect(("192.0.2.10", 80))
s.send(b"x")
s.recv(10)
""", check=False)
    assert "ConnectionRefusedError" in done.stderr
    assert system.gw.counters()["unreachable_sent"] == 1
