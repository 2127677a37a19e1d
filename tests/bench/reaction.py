#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast an endpoint that has gone is out of the packet path, with a table full of flows.

10,000 endpoints in three UDP services and 1,000,000 live flows. Four of the endpoints serve a fourth
service besides, which gets 20,000 new flows a second while one of them changes its state, by the
operator's word and by its health check. The server side knows when the latest new flow that reached
an endpoint had been sent. Three figures for each change: from the change to that flow (negative: none
was sent after it; one comes about every 0.2 ms), from the change to the end of the rebuild, and how
long the rebuild took. Targets: below 1 ms and below 100 ms; figures, not tests: clients, servers and
the daemon share this machine's cores.
"""
import json
import os
import statistics
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import lib  # noqa: E402

SWARM = os.path.join(lib.BUILD, "tests", "bench", "swarm")
ENDPOINTS = int(os.environ.get("BENCH_ENDPOINTS", "10000"))
FLOWS = int(os.environ.get("BENCH_FLOWS", "1000000"))
CHANGES = int(os.environ.get("BENCH_CHANGES", "10"))
RATE = 20000
SERVICES, PER_BACKEND, PORT = 3, 250, 7007
HOT, HOT_PORT = 4, 7100  # the first endpoints
SOURCES = [f"203.0.113.{n}" for n in range(100, 112)]  # of the gateway: ports for all these flows


def addr(index):
    """Address of an endpoint."""
    return f"10.99.{index // 250}.{index % 250 + 1}"


def slot(index):
    """Its place in the server's table."""
    return (index // 250) << 8 | (index % 250 + 1)


def backend(name, indices):
    """A Backend of these endpoints."""
    rows = "\n".join(f"  - ip: {{address: {addr(i)}, port: {PORT}}}" for i in indices)
    return f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec:
  endpoints:
{rows}
"""


def manifest():
    """Gateway, routes, Backends, and one policy with a TCP check."""
    listeners = "\n".join(f"  - {{name: s{n}, port: {7000 + n}, protocol: UDP}}"
                          for n in range(SERVICES))
    listeners += f"\n  - {{name: hot, port: {HOT_PORT}, protocol: UDP}}"
    docs = [f"""apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}]
  listeners:
{listeners}
"""]
    refs = [[] for _ in range(SERVICES)]
    docs.append(backend("hot", range(HOT)))
    for first in range(0, ENDPOINTS, PER_BACKEND):
        refs[first // PER_BACKEND % SERVICES].append(f"b{first}")
        docs.append(backend(f"b{first}", range(first, min(first + PER_BACKEND, ENDPOINTS))))
    for n, names in [*enumerate(refs), ("hot", ["hot"])]:
        listener = n if n == "hot" else f"s{n}"
        rows = "\n".join(f"    - {{group: gateway.envoyproxy.io, kind: Backend, name: {name}}}"
                         for name in names)
        docs.append(f"""apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {{name: {listener}}}
spec:
  parentRefs: [{{name: edge, sectionName: {listener}}}]
  rules:
  - backendRefs:
{rows}
""")
    docs.append("""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: all}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  healthCheck:
    active: {type: TCP, tcp: {}, interval: 3s, timeout: 1s, unhealthyThreshold: 1, overrides: {port: 8080}}
""")
    return "---\n".join(docs)


def latest(path, index):
    """When the latest new flow that reached the endpoint had been sent."""
    with open(path, "rb") as table:
        table.seek(8 * slot(index))
        return struct.unpack("=Q", table.read(8))[0]


def rebuild(gateway):
    """End and duration of the latest rebuild, ns."""
    row = json.loads(gateway.ctl("status", "-o", "json"))["rebuild"]
    return row["endMonotonicNs"], row["tookNs"]


def measure(gateway, path, turn, act):
    """One endpoint goes down by act(): the three figures in ms."""
    index = turn % HOT
    last = gateway.json("events", "--limit", "1")["last"]
    hot = gateway.net.popen("client", SWARM, "open", lib.VIP4, str(HOT_PORT),
                            str(30000 + 10 * turn), str(10 * RATE), str(RATE))
    time.sleep(0.3)
    act(index)
    event = lib.wait_for("the change", lambda: [
        e for e in gateway.json("events", "--since", str(last))["events"]
        if e["subject"] == f"{addr(index)}:{PORT}" and e["to"] == "down"], timeout=15)[-1]
    time.sleep(0.3)
    gateway.net.kill(hot)
    at = event["monotonicNs"]
    end, took = rebuild(gateway)
    return (latest(path, index) - at) / 1e6, (end - at) / 1e6, took / 1e6


def build(net):
    """Servers and clients beside the standard topology, and the gateway."""
    net.exec("p1", "ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo")
    net.exec("gw", "ip", "route", "add", "10.99.0.0/16", "via", lib.addr4("p1"))
    net.exec("client", "ip", "route", "add", "local", "10.50.0.0/16", "dev", "lo")
    path = os.path.join(net.dir, "latest")
    net.popen("p1", SWARM, "echo", str(PORT), path)
    net.popen("p1", "haproxy", "-db", "-f", config(net))
    net.addr("gw", "back", *(f"{source}/24" for source in SOURCES))
    sources = [word for source in SOURCES for word in ("--source-address", source)]
    gateway = lib.Gateway(net, args=("--max-endpoints", "16384", *sources))
    gateway.args[gateway.args.index("65536")] = str(FLOWS * 3)
    gateway.start()
    file = os.path.join(net.dir, "all.yaml")
    with open(file, "w", encoding="ascii") as text:
        text.write(manifest())
    gateway.ctl("apply", "-f", file)
    return gateway, path


def config(net):
    """A TCP server for the checks."""
    path = os.path.join(net.dir, "checks.cfg")
    with open(path, "w", encoding="ascii") as text:
        text.write("global\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout client 5s\n  timeout "
                   "server 5s\n  timeout connect 5s\nlisten all\n  bind :8080\n")
    return path


def report(name, rows):
    """Median and worst of each figure."""
    names = ("last new flow sent after the change", "rebuild finished after the change",
             "the rebuild itself")
    for n, text in enumerate(names):
        values = [row[n] for row in rows]
        print(f"{name:16} {text:38} median {statistics.median(values):9.3f} ms   worst "
              f"{max(values):9.3f} ms")


def fill(net):
    """FLOWS flows over the big services."""
    for n in range(SERVICES):
        net.exec("client", SWARM, "open", lib.VIP4, str(7000 + n), str(20000 + 100 * n),
                 str(-(-FLOWS // SERVICES)), "80000", timeout=120)


def main():
    """Builds it all, makes the changes, prints."""
    net = lib.standard_net()
    try:
        gateway, path = build(net)
        fill(net)
        fill(net)  # the same flows: those whose datagram was lost, and the others stay alive
        time.sleep(5)  # of a sweep, which counts
        print("flows:", json.loads(gateway.ctl("flows", "--count", "-o", "json")))
        rows = []
        for turn in range(CHANGES):
            rows.append(measure(gateway, path, turn, lambda i: gateway.ctl(
                "set", "endpoint", f"{addr(i)}:{PORT}", "--state", "down")))
            gateway.ctl("set", "endpoint", f"{addr(turn % HOT)}:{PORT}", "--state", "auto")
        report("set endpoint", rows)
        rows = []
        net.exec("p1", "nft", "add table ip t; add set ip t dead { type ipv4_addr; }; add chain ip t "
                 "c { type filter hook prerouting priority -300; }; add rule ip t c ip daddr @dead "
                 "tcp dport 8080 reject with tcp reset")
        for turn in range(CHANGES):
            rows.append(measure(gateway, path, CHANGES + turn, lambda i: net.exec(
                "p1", "nft", f"add element ip t dead {{ {addr(i)} }}")))
            net.exec("p1", "nft", "flush set ip t dead")
            gateway.wait_state(f"{addr((CHANGES + turn) % HOT)}:{PORT}", "up")
        report("health check", rows)
    finally:
        net.close()


if __name__ == "__main__":
    main()
