#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The userspace path beside a HAProxy configured by hand for the same job, in turns, in one run.

Each has a topology of its own. The gateway with the hand-written configuration has the packet path
attached, too, without a service: XDP on a veth changes what its peer's stack sends. `direct` has no
gateway's work but routing: what a request costs beyond that is the gateway's CPU. The name has three
addresses, there are 1,000 client addresses, and these are the jobs:

plain     connections to a name are handed on as they are; `promoted` is the same name by XDP
tls       they are handed on over TLS, the certificate verified
"""
import json
import os
import re
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import lib  # noqa: E402

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
HOSTS, NAME = ("p1", "p2", "p3"), "web.example.net"
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
frontend plain
    bind :8080
    http-request return status 200 content-type text/plain string ok if { path / }
    http-request return status 200 content-type text/plain file %s
frontend secure
    bind :8443 ssl crt %s
    http-request return status 200 content-type text/plain string ok if { path / }
    http-request return status 200 content-type text/plain file %s
"""

BY_HAND = """
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
"""

MANIFEST = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: spillway
  addresses: [{value: %s}]
  listeners: [{name: web, port: 80, protocol: TCP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: web}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: web, annotations: {%s}}
spec: {%s endpoints: [{fqdn: {hostname: %s, port: %d}}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: %s}
"""


def certificate(net):
    """A certificate of its own authority, and its key in one file."""
    path = os.path.join(net.dir, "server.pem")
    lib.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", path + ".key", "-out", path + ".crt", "-days", "2", "-subj",
            f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}")
    with open(path, "w", encoding="ascii") as out:
        for part in (".crt", ".key"):
            with open(path + part, encoding="ascii") as text:
                out.write(text.read())
    return path


def topology():
    """Client with many addresses, gateway and three fast servers of both kinds."""
    net = lib.standard_net()
    pem = certificate(net)
    big = os.path.join(net.dir, "big")
    with open(big, "wb") as out:
        out.write(os.urandom(1 << 20))
    path = os.path.join(net.dir, "server.cfg")
    with open(path, "w", encoding="ascii") as config:
        config.write("global\n    tune.bufsize 1200000\n" + SERVER % (big, pem, big))
    for host in HOSTS:
        net.popen(host, "haproxy", "-db", "-f", path)
        net.exec(host, "ip", "route", "add", CLIENT_NET, "via", "203.0.113.1")
    net.exec("client", "ip", "route", "add", "local", CLIENT_NET, "dev", "lo")
    net.exec("gw", "ip", "route", "add", CLIENT_NET, "via", "198.51.100.2")
    return net, pem


def spillway(job):
    """The subject."""
    net, pem = topology()
    zone = os.path.join(net.dir, "zone")
    with open(zone, "w", encoding="ascii") as out:
        out.write(f"{NAME}={','.join(lib.addr4(host) for host in HOSTS)}\n")
    resolv = os.path.join(net.dir, "resolv.conf")
    with open(resolv, "w", encoding="ascii") as out:
        out.write("nameserver 127.0.0.1\n")
    net.popen("gw", sys.executable, os.path.join(lib.HERE, "nameserver.py"), zone)
    gateway = lib.Gateway(net, args=["--resolv-conf", resolv]).start()
    with open(pem + ".crt", encoding="ascii") as text:
        ca = json.dumps(text.read())
    promoted = "spillway.dev/fqdn-path: xdp" if job == "promoted" else ""
    tls = "tls: {caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]}," if job == "tls" else ""
    gateway.apply(MANIFEST % (lib.VIP4, promoted, tls, NAME, 8443 if job == "tls" else 8080, ca))
    return net


def by_hand(job):
    """HAProxy, with the packet path attached and idle."""
    net, pem = topology()
    lib.Gateway(net).start()
    net.exec("gw", "ip", "addr", "add", f"{lib.VIP4}/32", "dev", "lo")
    path = os.path.join(net.dir, "proxy.cfg")
    tls = f"ssl verify required ca-file {pem}.crt sni str({NAME}) verifyhost {NAME}"
    with open(path, "w", encoding="ascii") as config:
        config.write(BY_HAND % lib.VIP4)
        for host in HOSTS:
            config.write(f"    server {host} {lib.addr4(host)}:"
                         + (f"8443 {tls}\n" if job == "tls" else "8080\n"))
    net.popen("gw", "haproxy", "-db", "-f", path)
    return net


def direct(_):
    """The gateway only routes, without XDP."""
    net, _ = topology()
    net.exec("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    hops = [word for host in HOSTS for word in ("nexthop", "via", lib.addr4(host))]
    net.exec("gw", "ip", "route", "add", lib.VIP4, *hops)
    net.exec("gw", "sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=1")
    for host in HOSTS:
        net.exec(host, "ip", "addr", "add", f"{lib.VIP4}/32", "dev", "lo")
        net.exec(host, "ip", "route", "add", "198.51.100.0/24", "via", "203.0.113.1")
        net.exec(host, "nft", "add table ip r; add chain ip r c { type nat hook prerouting priority "
                 "-100; }; add rule ip r c tcp dport 80 redirect to :8080")
    return net


def busy_ticks():
    """CPU time of the whole machine that was not idle, in ticks."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    return user + nice + system + irq + softirq


def costed(measure):
    """A rate, and ticks of the machine for each thousand of what it counts."""
    before = busy_ticks()
    rate = measure()
    return rate, (busy_ticks() - before) / (rate * SECONDS) * 1000


def requests(net, how):
    """Requests a second, a thousand client addresses with a connection each."""
    return costed(lambda: float(net.exec("client", REQUESTS, lib.VIP4, "80", FIRST_CLIENT,
                                         str(CLIENTS), str(SECONDS), how).stdout))


def answers(net):
    """Large answers a second, one client address."""
    def measure():
        text = net.exec("client", "wrk", "-t1", "-c32", f"-d{SECONDS}s",
                        f"http://{lib.VIP4}/big").stdout
        return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return costed(measure)


WORKLOADS = {
    "keep-alive requests/s": lambda net: requests(net, "keep"),
    "new connections/s": lambda net: requests(net, "close"),
    "1 MiB answers/s": answers,
}


def compare(kinds, job_of):
    """All kinds in turns; (rate, cost) by workload and kind."""
    nets, results = {}, {w: {k: [] for k in kinds} for w in WORKLOADS}
    try:
        for name, kind in kinds.items():
            nets[name] = kind(job_of.get(name))
            lib.wait_for(f"{name} answers", lambda name=name: nets[name].exec(
                "client", "curl", "-s", "--max-time", "1", f"http://{lib.VIP4}/",
                check=False).stdout == "ok", timeout=20)
        for _ in range(ROUNDS):
            for name, net in nets.items():
                for workload, measure in WORKLOADS.items():
                    results[workload][name].append(measure(net))
    finally:
        for net in nets.values():
            net.close()
    return results


def show(title, results, subjects):
    """Medians, and each subject as a ratio to the hand-written one."""
    print(f"-- {title}")
    for workload, by_name in results.items():
        rate = {n: statistics.median(r for r, _ in v) for n, v in by_name.items()}
        cost = {n: statistics.median(c for _, c in v) for n, v in by_name.items()}
        line = f"{workload:24}" + "".join(f"{n} {rate[n]:.0f}  " for n in rate)
        for name in subjects:
            line += f" {name}/by hand {rate[name] / rate['by hand']:.2f}"
            if "direct" in cost:
                own = [max(cost[n] - cost["direct"], 0) for n in (name, "by hand")]
                line += f" (gateway's CPU {own[0] / own[1]:.2f})" if own[1] else ""
        print(line)


def main():
    """Prints medians and ratios; JSON goes to build/bench-handoff.json."""
    plain = compare({"handed off": spillway, "by hand": by_hand, "promoted": spillway,
                     "direct": direct},
                    {"handed off": "plain", "by hand": "plain", "promoted": "promoted"})
    show("a name, plain", plain, ("handed off", "promoted"))
    tls = compare({"handed off": spillway, "by hand": by_hand},
                  {"handed off": "tls", "by hand": "tls"})
    show("a name, over TLS", tls, ("handed off",))
    with open(os.path.join(lib.BUILD, "bench-handoff.json"), "w", encoding="ascii") as out:
        json.dump({"plain": plain, "tls": tls}, out, indent=2)


if __name__ == "__main__":
    main()
