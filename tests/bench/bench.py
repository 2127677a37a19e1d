#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Spillway, nftables and HAProxy do the same job side by side, in turns, in one run.

Each has a topology of its own (client - gateway - three servers), so that none pays for another's
hooks. Rounds are interleaved because machines are noisy: read the ratios, not the figures. Both
ends of every connection run on this machine's cores too, so a faster gateway shows diluted.
"""
import json
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import lib  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "2")
HOSTS = ("p1", "p2", "p3")
WORKLOADS = {"keep-alive requests/s": [], "new connections/s": ["-H", "Connection: close"]}

SERVER = """
global
    maxconn 4000
defaults
    mode http
    timeout client 10s
    timeout connect 5s
    timeout server 10s
frontend web
    bind :8080
    http-request return status 200 content-type text/plain string ok
"""

PROXY = """
global
    maxconn 4000
    nbthread 2
defaults
    mode tcp
    timeout client 10s
    timeout connect 5s
    timeout server 10s
listen web
    bind %s:80
    balance roundrobin
""" % lib.VIP4


def spillway(net):
    """The subject."""
    gateway = lib.Gateway(net).start()
    gateway.apply(lib.manifest(fallbacks=(), check=False))


def nftables(net):
    """DNAT by hash and masquerade in the kernel."""
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    targets = ", ".join(f"{n} : {lib.addr4(h)}" for n, h in enumerate(HOSTS))
    net.exec("gw", "nft", "-f", "-", stdin=f"""
table ip nat {{
  chain pre {{
    type nat hook prerouting priority -100
    ip daddr {lib.VIP4} tcp dport 80 dnat to numgen random mod 3 map {{ {targets} }} : 8080
  }}
  chain post {{
    type nat hook postrouting priority 100
    oifname "back" masquerade
  }}
}}
""")


def haproxy(net):
    """A TCP proxy in userspace."""
    net.exec("gw", "ip", "addr", "add", f"{lib.VIP4}/32", "dev", "lo")
    path = os.path.join(net.dir, "proxy.cfg")
    with open(path, "w", encoding="ascii") as config:
        config.write(PROXY)
        for host in HOSTS:
            config.write(f"    server {host} {lib.addr4(host)}:8080\n")
    net.popen("gw", "haproxy", "-db", "-f", path)


def topology(kind):
    """Client, gateway of a kind, fast servers."""
    net = lib.standard_net()
    path = os.path.join(net.dir, "server.cfg")
    with open(path, "w", encoding="ascii") as config:
        config.write(SERVER)
    for host in HOSTS:
        net.popen(host, "haproxy", "-db", "-f", path)
    kind(net)
    lib.wait_for(f"{kind.__name__} answers", lambda: net.exec(
        "client", "curl", "-s", "--max-time", "1", f"http://{lib.VIP4}/", check=False).stdout == "ok")
    return net


def measure(net, headers):
    """Requests a second of one run of wrk."""
    text = net.exec("client", "wrk", "-t1", "-c32", f"-d{SECONDS}s", *headers,
                    f"http://{lib.VIP4}/").stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def main():
    """Prints medians and ratios; JSON goes to build/bench.json."""
    nets = {}
    results = {w: {} for w in WORKLOADS}
    try:
        for kind in (spillway, nftables, haproxy):
            nets[kind.__name__] = topology(kind)
        for _ in range(ROUNDS):
            for name, net in nets.items():
                for workload, headers in WORKLOADS.items():
                    results[workload].setdefault(name, []).append(measure(net, headers))
                    time.sleep(0.1)
    finally:
        for net in nets.values():
            net.close()
    print(f"{'median of ' + str(ROUNDS):24}" + "".join(f"{n:>12}" for n in nets)
          + "   spillway/nftables  spillway/haproxy")
    for workload, by_name in results.items():
        mid = {n: statistics.median(v) for n, v in by_name.items()}
        print(f"{workload:24}" + "".join(f"{mid[n]:12.0f}" for n in nets)
              + f"{mid['spillway'] / mid['nftables']:20.2f}{mid['spillway'] / mid['haproxy']:18.2f}")
    with open(os.path.join(lib.BUILD, "bench.json"), "w", encoding="ascii") as out:
        json.dump(results, out, indent=2)


if __name__ == "__main__":
    main()
