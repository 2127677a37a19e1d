#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Packets a second from one veth to another through a gateway, in turns through different ones.

     gen ns            gw ns             sink ns
    +------+       +-----------+       +------+
    | port-+-------+-front back+-------+-s0   |    UDP of FLOWS clients to one service of 64 endpoints
    +------+       +-----------+       +------+

Everything happens on one core, so that a figure is the cost of the whole way: making the packet, two
veths, the gateway, the sink. A plain redirect by XDP says what is left without the gateway's work, and
a router by XDP, which asks the kernel for each packet's way, what others call forwarding. A sink that
is an XDP program is the cheapest for packets that come by redirect; for packets of the kernel's own
forwarding it is an nftables drop at ingress. So Spillway is measured with both, and direct return,
which has no rival in the kernel, with the first.
"""
import json
import os
import re
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "netns"))
import lib  # noqa: E402

LIVE = os.path.join(lib.BUILD, "tests", "bench", "bench_live")
ROUNDS = int(os.environ.get("LIVE_ROUNDS", "7"))
PACKETS = int(os.environ.get("LIVE_PACKETS", "1000000"))
FLOWS = [int(n) for n in os.environ.get("LIVE_FLOWS", "1,10000,1000000").split(",")]
ENDPOINTS = 64
VIP, PORT, SERVER_PORT = "10.255.0.0", 53, 8080
LIMITS = {"net.netfilter.nf_conntrack_max": 4 << 20, "net.netfilter.nf_conntrack_buckets": 2 << 20}


def endpoint(n):
    """Address of an endpoint; the network's file in packet/ has the same ones."""
    return f"10.0.0.{n + 1}"


def topology(name):
    """Three namespaces and their cables; neighbours are fixed, since nobody answers."""
    net = lib.Net()
    for ns in ("gen", "gw", "sink"):
        net.ns(ns)
    net.name = name
    net.veth("gen", "port", "gw", "front")
    net.veth("gw", "back", "sink", "s0")
    net.exec("gen", "ip", "link", "set", "port", "address", "02:00:00:00:01:fe")
    net.exec("gw", "ip", "link", "set", "front", "address", "02:00:00:00:01:01")
    net.addr("gw", "front", "10.1.0.1/24")
    net.addr("gw", "back", "10.2.0.1/24")
    for dev, via, to in (("front", "10.1.0.254", "198.18.0.0/15"), ("back", "10.2.0.254", "10.0.0.0/16")):
        net.exec("gw", "ip", "neigh", "add", via, "lladdr", "02:00:00:00:02:fe", "dev", dev,
                 "nud", "permanent")
        net.exec("gw", "ip", "route", "add", to, "via", via)
    net.exec("gen", LIVE, "drop", "port")
    return net


def redirect(net):
    """XDP that swaps MACs and redirects."""
    net.exec("gw", LIVE, "redirect", "front", "back")


def forward(net):
    """A router by XDP, no balancing."""
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    net.exec("gw", "ip", "route", "add", f"{VIP}/32", "via", "10.2.0.254")
    net.exec("gw", LIVE, "forward", "front", "back")


def start(net, mode, port, args=()):
    """The subject, with its daemon."""
    net.gateway = lib.Gateway(net, args=args).start()
    rows = "\n".join(f"  - ip: {{address: {endpoint(n)}, port: {port}}}" for n in range(ENDPOINTS))
    net.gateway.apply(f"""apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {VIP}}}]
  listeners: [{{name: dns, port: {PORT}, protocol: UDP}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: dns, annotations: {{spillway.dev/forwarding: {mode}}}}}
spec:
  endpoints:
{rows}
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {{name: dns}}
spec:
  parentRefs: [{{name: edge}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: dns}}]
""")


def spillway(net):
    """Mode nat, with room for the flows."""
    start(net, "nat", SERVER_PORT, ("--max-flows", "1300000"))


def l2(net):
    """Direct return to endpoints on the gateway's own link."""
    net.exec("gw", "ip", "route", "replace", "10.0.0.0/16", "dev", "back")
    net.exec("gw", "ip", "-batch", "-", stdin="".join(
        f"neigh add {endpoint(n)} lladdr 02:00:00:00:02:{n:02x} dev back nud permanent\n"
        for n in range(ENDPOINTS)))
    start(net, "l2", PORT)


def ipip(net):
    """Direct return within IPv4."""
    start(net, "ipip", PORT)


def gue(net):
    """Direct return within UDP."""
    start(net, "gue", PORT)


def nftables(net):
    """DNAT at random and masquerade in the kernel."""
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    targets = ", ".join(f"{n} : {endpoint(n)}" for n in range(ENDPOINTS))
    net.exec("gw", "nft", "-f", "-", stdin=f"""
table ip nat {{
  chain pre {{
    type nat hook prerouting priority -100
    ip daddr {VIP} udp dport {PORT} dnat to numgen random mod {ENDPOINTS} map {{ {targets} }} : {SERVER_PORT}
  }}
  chain post {{
    type nat hook postrouting priority 100
    oifname "back" masquerade
  }}
}}
""")


def xdp_sink(net):
    """Drops in the driver; counted by the driver."""
    net.exec("sink", LIVE, "drop", "s0")

    def count():
        text = net.exec("sink", "ethtool", "-S", "s0").stdout
        return sum(int(n) for n in re.findall(r"rx_queue_\d+_xdp_drops: (\d+)", text))
    return count


def nft_sink(net):
    """Drops at the device's ingress, before any protocol."""
    net.exec("sink", "nft", "add table netdev t; add chain netdev t c { type filter hook ingress "
             "device s0 priority 0; }; add rule netdev t c counter drop")

    def count():
        text = net.exec("sink", "nft", "list chain netdev t c").stdout
        return int(re.search(r"counter packets (\d+)", text).group(1))
    return count


KINDS = {
    "redirect, xdp sink": (redirect, xdp_sink),
    "forward, xdp sink": (forward, xdp_sink),
    "spillway, xdp sink": (spillway, xdp_sink),
    "l2, xdp sink": (l2, xdp_sink),
    "ipip, xdp sink": (ipip, xdp_sink),
    "gue, xdp sink": (gue, xdp_sink),
    "spillway, nft sink": (spillway, nft_sink),
    "nftables, nft sink": (nftables, nft_sink),
}
RATIOS = (
    ("spillway / plain redirect", "spillway, xdp sink", "redirect, xdp sink"),
    ("spillway / XDP router", "spillway, xdp sink", "forward, xdp sink"),
    *((f"spillway, {mode} / plain redirect", f"{mode}, xdp sink", "redirect, xdp sink")
      for mode in ("l2", "ipip", "gue")),
    ("spillway / nftables, same sink", "spillway, nft sink", "nftables, nft sink"),
    ("spillway / nftables, each its cheapest sink", "spillway, xdp sink", "nftables, nft sink"),
)


def measure(net, flows):
    """Packets a second that reach the sink, and their part of those sent."""
    before = net.count()
    seconds = float(net.exec("gen", LIVE, "send", str(flows), str(PACKETS)).stdout)
    arrived = net.count() - before
    return arrived / seconds, arrived / PACKETS


def settle(net, flows):
    """Opens the flows: twice, since the first packets may be lost."""
    for _ in range(2):
        net.exec("gen", LIVE, "each", str(flows), timeout=300)


def report(flows, rates, parts):
    """One line for each gateway and sink, then the quotients of this many flows."""
    mid = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        quarter = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
        lost = "" if min(parts[name]) > 0.999 else f"   {100 * min(parts[name]):.1f} % arrived, at worst"
        print(f"{flows:9} flows  {name:22}{mid[name] / 1e6:8.3f} M packets/s  "
              f"[{quarter[0] / 1e6:.3f} {quarter[2] / 1e6:.3f}]{1e9 / mid[name]:8.0f} ns{lost}")
    for text, over, under in RATIOS:
        print(f"{'':17}{text:46}{mid[over] / mid[under]:8.2f}", flush=True)


def raise_limits():
    """The kernel's own connections need room, in a table of the whole host; returns what was."""
    was = {name: int(lib.run("sysctl", "-n", name).stdout) for name in LIMITS}
    for name, value in LIMITS.items():
        lib.run("sysctl", "-qw", f"{name}={max(value, was[name])}")
    return was


def main():
    """Prints medians and quotients; JSON goes to build/bench-live.json."""
    nets, results = {}, {}
    was = raise_limits()
    try:
        for name, (kind, sink) in KINDS.items():
            nets[name] = topology(name)
            kind(nets[name])
            nets[name].count = sink(nets[name])
        for flows in FLOWS:
            rates, parts = {n: [] for n in nets}, {n: [] for n in nets}
            for net in nets.values():
                settle(net, flows)
            for _ in range(ROUNDS):
                for name, net in nets.items():
                    rate, part = measure(net, flows)
                    rates[name].append(rate)
                    parts[name].append(part)
            report(flows, rates, parts)
            results[flows] = {"packets_a_second": rates, "part_arrived": parts}
    finally:
        for net in nets.values():
            net.close()
        for name, value in was.items():
            lib.run("sysctl", "-qw", f"{name}={value}")
    with open(os.path.join(lib.BUILD, "bench-live.json"), "w", encoding="ascii") as out:
        json.dump(results, out, indent=2)


if __name__ == "__main__":
    main()
