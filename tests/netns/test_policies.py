# SPDX-License-Identifier: BSD-2-Clause
"""Who gets a new connection by the policy's loadBalancer, and who may have one at all."""
import json
import os
import sys

import pytest

import balance
import lib

SCRIPT = os.path.join(lib.HERE, "balance.py")
HOSTS = ("p1", "p2", "p3", "f1")
CLIENTS = [f"198.51.100.{n}" for n in range(10, 30)]
CLIENTS6 = [f"2001:db8:f:{n:x}::2" for n in range(1, 5)]


def serve(net, holds):
    """A server on each host, which holds connections for so long."""
    for host, hold in holds.items():
        net.popen(host, sys.executable, SCRIPT, "serve", host, "8080", str(hold))
    for host in holds:
        lib.wait_for(f"server on {host}", lambda h=host: net.exec(
            h, "ss", "-Hltn", "sport = :8080").stdout)


def more_clients(net):
    """Addresses of the client besides its own; of IPv6 each in a /64 of its own."""
    for address in CLIENTS:
        net.exec("client", "ip", "addr", "add", f"{address}/24", "dev", "c0")
    for address in CLIENTS6:
        net.exec("client", "ip", "-6", "addr", "add", f"{address}/128", "dev", "c0", "nodad")
        net.exec("gw", "ip", "-6", "route", "add", f"{address}/128", "via", "2001:db8:f::2")


def ask(net, rate, count, sources, vip=lib.VIP4, timeout=0.7):
    """Connections from these addresses."""
    done = net.exec("client", sys.executable, SCRIPT, "ask", "80", str(rate), str(count),
                    str(timeout), vip, *sources, timeout=120)
    return json.loads(done.stdout)


def manifest(hosts=HOSTS, balancer="", notes="", families=(4,)):
    """The standard one with a loadBalancer and annotations of the route."""
    text = lib.manifest(primaries=hosts, fallbacks=(), check=False, families=families)
    route = "kind: TCPRoute\nmetadata: {name: web}"
    assert route in text
    text = text.replace(route, f"kind: TCPRoute\nmetadata: {{name: web, annotations: {{{notes}}}}}")
    if balancer:
        text += f"""
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: web}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: TCPRoute, name: web}}]
  loadBalancer: {{{balancer}}}
"""
    return text


def list_of(name, *networks):
    """A ConfigMap with networks."""
    data = "\n".join(f"    {n}" for n in networks)
    return f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n  list: |\n{data}\n"


def taken(result, source):
    """How many connections of a source were served."""
    return sum(result["answers"].get(source, {}).values())


def test_a_server_four_times_slower_gets_what_two_choices_give_it(net):
    holds = {"p1": 0.2, "p2": 0.2, "p3": 0.2, "f1": 0.8}
    serve(net, holds)
    gateway = lib.Gateway(net).start()
    gateway.apply(manifest(balancer="type: LeastRequest"))
    rate, count = 120, 2400
    result = ask(net, rate, count, ["198.51.100.2"])
    answers = result["answers"]["198.51.100.2"]
    assert not result["failed"], result
    want = balance.theory(count / result["seconds"], count, list(holds.values()))
    shares = [answers.get(host, 0) / count for host in holds]
    for host, share, theory in zip(holds, shares, want):
        print(f"{host}: {100 * share:.1f} % of the connections, {100 * theory:.1f} % in theory")
    assert all(abs(share - theory) < 0.03 for share, theory in zip(shares, want))
    assert shares[3] < 0.16
    assert gateway.counters()["pick_second"] > count / 10


def test_clients_of_a_source_hash_keep_their_server(net):
    more_clients(net)
    serve(net, {host: 0 for host in HOSTS})
    gateway = lib.Gateway(net).start()
    gateway.apply(manifest(balancer="type: ConsistentHash, consistentHash: {type: SourceIP, "
                                    "tableSize: 1021}"))
    result = ask(net, 200, 10 * len(CLIENTS), CLIENTS)
    assert not result["failed"]
    assert all(list(result["answers"][c].values()) == [10] for c in CLIENTS), result["answers"]
    assert len({next(iter(result["answers"][c])) for c in CLIENTS}) >= 3


def test_a_service_takes_on_as_many_connections_a_second_as_it_may(net):
    serve(net, {"p1": 0})
    gateway = lib.Gateway(net).start()
    gateway.apply(manifest(("p1",), notes="spillway.dev/new-flows-per-second: '80', "
                                          "spillway.dev/new-flows-burst: '40'"))
    result = ask(net, 300, 1800, ["198.51.100.2"])
    want = 80 * result["seconds"] + 40
    got = taken(result, "198.51.100.2")
    print(f"{got} connections, {want:.0f} expected")
    assert abs(got / want - 1) < 0.1
    assert gateway.counters()["drop_rate_limited"] == 1800 - got
    services = gateway.json("stats")["services"]
    assert [s["limited"] for s in services if s["address"] == f"{lib.VIP4}:80"] == [1800 - got]


@pytest.mark.parametrize("family", (4, 6))
def test_each_source_has_a_limit_of_its_own(net, family):
    more_clients(net)
    serve(net, {"p1": 0})
    gateway = lib.Gateway(net).start()
    gateway.apply(manifest(("p1",), families=(4, 6),
                           notes="spillway.dev/new-flows-per-second-per-source: '15', "
                                 "spillway.dev/new-flows-burst-per-source: '10'"))
    sources = CLIENTS[:4] if family == 4 else CLIENTS6
    result = ask(net, 240, 1440, sources, vip=lib.VIP4 if family == 4 else lib.VIP6)
    want = 15 * result["seconds"] + 10
    print({s: taken(result, s) for s in sources}, f"{want:.0f} expected of each")
    assert all(abs(taken(result, s) / want - 1) < 0.1 for s in sources)
    assert gateway.counters()["drop_source_limited"] > 500


@pytest.mark.parametrize("family", (4, 6))
def test_lists_say_who_may_connect_and_leave_alone_who_is_connected(net, family):
    more_clients(net)
    serve(net, {"p1": 2})
    gateway = lib.Gateway(net).start()
    first, other = (CLIENTS if family == 4 else CLIENTS6)[:2]
    vip = lib.VIP4 if family == 4 else lib.VIP6
    base = {"hosts": ("p1",), "families": (4, 6)}
    gateway.apply(manifest(**base))
    held = net.popen("client", sys.executable, SCRIPT, "ask", "80", "100", "5", "0.7", vip, first)
    lib.wait_for("connections", lambda: gateway.counters()["flow_created"] >= 5)
    gateway.apply(manifest(**base, notes="spillway.dev/deny-sources-from: bad") +
                  list_of("bad", first, "192.0.2.77  # somebody", "2001:db8:77::/48"))
    assert held.wait(timeout=20) == 0
    assert json.loads(open(held.log_path, encoding="utf8").read())["answers"] == {first: {"p1": 5}}
    result = ask(net, 50, 10, [first, other], vip=vip)
    assert taken(result, first) == 0 and taken(result, other) == 5
    assert gateway.counters()["drop_source_denied"] == 5
    gateway.apply(manifest(**base, notes=f"spillway.dev/allow-sources: '{first}'"))
    result = ask(net, 50, 10, [first, other], vip=vip)
    assert taken(result, first) == 5 and taken(result, other) == 0
    assert gateway.counters()["drop_source_not_allowed"] == 5


def test_a_restart_finds_lists_and_limits_as_they_are(net):
    more_clients(net)
    serve(net, {host: 0 for host in HOSTS})
    gateway = lib.Gateway(net).start()
    networks = [f"10.{i >> 8}.{i & 255}.0/25" for i in range(20000)]
    gateway.apply(manifest(balancer="type: LeastRequest",
                           notes="spillway.dev/deny-sources-from: many, "
                                 "spillway.dev/new-flows-per-second: '5000'") +
                  list_of("many", *networks, CLIENTS[0]))
    gateway.kill()
    assert taken(ask(net, 50, 10, [CLIENTS[0]]), CLIENTS[0]) == 0
    assert taken(ask(net, 50, 10, [CLIENTS[1]]), CLIENTS[1]) == 10
    gateway.start("--log-level", "debug")
    assert taken(ask(net, 50, 10, [CLIENTS[0]]), CLIENTS[0]) == 0
    assert taken(ask(net, 50, 10, [CLIENTS[1]]), CLIENTS[1]) == 10
    route = gateway.json("get", "tcproute", "web")
    assert "SourceLists" not in str(route["status"])
