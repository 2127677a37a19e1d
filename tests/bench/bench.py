#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Spillway, nftables and HAProxy do the same job side by side, in turns, in one run.

Each has a topology of its own (client - gateway - servers), so that none pays for another's hooks.
Rounds are interleaved because machines are noisy: read the ratios, not the figures. Both ends of
every connection run on this machine's cores too, so a faster gateway shows diluted.

TCP streams are sent with equal wire packets: no offload merges them before or in the gateway. Else
veth hands the kernel's own forwarding 64 KiB at a time, as no wire does; see README.md.
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
REQUESTS = os.path.join(lib.BUILD, "tests", "bench", "requests")
CLIENTS, CLIENT_NET, FIRST_CLIENT = 1000, "10.50.0.0/16", "10.50.0.1"

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


def spillway(net, hosts):
    """The subject."""
    gateway = lib.Gateway(net).start()
    gateway.apply(lib.manifest(primaries=hosts, fallbacks=(), check=False))


def nftables(net, hosts):
    """DNAT by hash and masquerade in the kernel."""
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    targets = ", ".join(f"{n} : {lib.addr4(h)}" for n, h in enumerate(hosts))
    net.exec("gw", "nft", "-f", "-", stdin=f"""
table ip nat {{
  chain pre {{
    type nat hook prerouting priority -100
    ip daddr {lib.VIP4} tcp dport 80 dnat to numgen random mod {len(hosts)} map {{ {targets} }} : 8080
  }}
  chain post {{
    type nat hook postrouting priority 100
    oifname "back" masquerade
  }}
}}
""")


def haproxy(net, hosts):
    """A TCP proxy in userspace."""
    net.exec("gw", "ip", "addr", "add", f"{lib.VIP4}/32", "dev", "lo")
    path = os.path.join(net.dir, "proxy.cfg")
    with open(path, "w", encoding="ascii") as config:
        config.write(PROXY)
        for host in hosts:
            config.write(f"    server {host} {lib.addr4(host)}:8080\n")
    net.popen("gw", "haproxy", "-db", "-f", path)


KINDS = (spillway, nftables, haproxy)


def web(kind):
    """Client with many addresses, gateway of a kind, three fast web servers."""
    net = lib.standard_net()
    path = os.path.join(net.dir, "server.cfg")
    with open(path, "w", encoding="ascii") as config:
        config.write(SERVER)
    for host in HOSTS:
        net.popen(host, "haproxy", "-db", "-f", path)
    net.exec("client", "ip", "route", "add", "local", CLIENT_NET, "dev", "lo")
    net.exec("gw", "ip", "route", "add", CLIENT_NET, "via", "198.51.100.2")
    kind(net, HOSTS)
    lib.wait_for(f"{kind.__name__} answers", lambda: net.exec(
        "client", "curl", "-s", "--max-time", "1", f"http://{lib.VIP4}/", check=False).stdout == "ok")
    return net


def streams(kind):
    """Client, gateway of a kind, one server that takes streams; every packet as a wire has it."""
    net = lib.standard_net()
    net.popen("p1", "iperf3", "-s", "-p", "8080")
    for device in ("front", "back"):
        net.exec("gw", "ethtool", "-K", device, "gro", "off")
    kind(net, HOSTS[:1])
    lib.wait_for(f"{kind.__name__} carries a stream", lambda: stream(net, 1, "1", check=False))
    return net


def wrk(net, *headers):
    """Requests a second, one client address."""
    text = net.exec("client", "wrk", "-t1", "-c32", f"-d{SECONDS}s", *headers,
                    f"http://{lib.VIP4}/").stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def requests(net, how):
    """Requests a second, many client addresses with a connection each."""
    return float(net.exec("client", REQUESTS, lib.VIP4, "80", FIRST_CLIENT, str(CLIENTS), SECONDS,
                          how).stdout)


def stream(net, parallel, seconds=SECONDS, check=True):
    """Megabits a second of TCP streams; 0 when nothing came through."""
    done = net.exec("client", "iperf3", "-J", "--connect-timeout", "1000", "-c", lib.VIP4, "-p",
                    "80", "-P", str(parallel), "-t", seconds, check=check)
    end = json.loads(done.stdout or "{}").get("end", {}) if not done.returncode else {}
    return end.get("sum_received", {}).get("bits_per_second", 0) / 1e6


WEB = {
    "keep-alive requests/s": wrk,
    "new connections/s": lambda net: wrk(net, "-H", "Connection: close"),
    f"keep-alive, {CLIENTS} clients": lambda net: requests(net, "keep"),
    f"new conn., {CLIENTS} clients": lambda net: requests(net, "close"),
}
STREAMS = {
    "1 stream, Mbit/s": lambda net: stream(net, 1),
    "8 streams, Mbit/s": lambda net: stream(net, 8),
}


def compare(topology, workloads):
    """All kinds in turns; results by workload and kind."""
    nets = {}
    results = {w: {} for w in workloads}
    try:
        for kind in KINDS:
            nets[kind.__name__] = topology(kind)
        for _ in range(ROUNDS):
            for name, net in nets.items():
                for workload, measure in workloads.items():
                    results[workload].setdefault(name, []).append(measure(net))
                    time.sleep(0.1)
    finally:
        for net in nets.values():
            net.close()
    return results


def main():
    """Prints medians and ratios; JSON goes to build/bench.json."""
    results = {**compare(web, WEB), **compare(streams, STREAMS)}
    names = [kind.__name__ for kind in KINDS]
    print(f"{'median of ' + str(ROUNDS):26}" + "".join(f"{n:>12}" for n in names)
          + "   spillway/nftables  spillway/haproxy")
    for workload, by_name in results.items():
        mid = {n: statistics.median(v) for n, v in by_name.items()}
        print(f"{workload:26}" + "".join(f"{mid[n]:12.0f}" for n in names)
              + f"{mid['spillway'] / mid['nftables']:20.2f}{mid['spillway'] / mid['haproxy']:18.2f}")
    print("Streams: equal wire packets. With its offloads veth would hand the kernel's forwarding 64 "
          "KiB at a time, and no wire does.")
    with open(os.path.join(lib.BUILD, "bench.json"), "w", encoding="ascii") as out:
        json.dump(results, out, indent=2)


if __name__ == "__main__":
    main()
