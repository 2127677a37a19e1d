#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What checking 10,000 endpoints every 3 s costs the daemon: CPU, memory, and the spread in time.

        gw ns: spillwayd                  servers ns
        +--------------+                +-----------------------------------------+
        |  front  back-+----------------+- eth0   10.99.0.0/16 is local: haproxy   |
        +--------------+                +-----------------------------------------+

One HAProxy answers on all addresses: TCP and HTTP on 8080, HTTPS on 8443. CPU is the daemon's
user and system time over PROBES_SECONDS from /proc, in per cent of one core; starts are connections
that the servers' kernel has accepted, read ten times a second over the same time.
"""
import collections
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import lib  # noqa: E402

ENDPOINTS = int(os.environ.get("PROBES_ENDPOINTS", "10000"))
SECONDS = int(os.environ.get("PROBES_SECONDS", "30"))
KINDS = os.environ.get("PROBES_KINDS", "TCP,HTTP,HTTPS").split(",")
PER_BACKEND = 250
SETTLE_S = 12
LIMITS = {"TCP": 50, "HTTP": 100}
LIMIT_MB = 300

SERVER = """
global
    maxconn 8000
    nbthread 1
defaults
    mode http
    timeout client 10s
    timeout connect 5s
    timeout server 10s
frontend web
    bind :8080
    bind :8443 ssl crt %s alpn http/1.1
    http-request return status 200 content-type text/plain string ok
"""

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: spillway
  addresses: [{value: %s}]
  listeners:
%s
"""

BACKEND = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: b%d}
spec:%s
  endpoints:
%s
"""

ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: r%d}
spec:
  parentRefs: [{name: edge, sectionName: l%d}]
  rules:
  - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b%d}]
"""

POLICY = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: checks}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  healthCheck:
    active: {interval: 3s, timeout: 1s, %s}
"""

SAMPLER = """
import sys, time
began = time.monotonic()
for n in range(int(sys.argv[1]) + 1):
    time.sleep(max(0, began + n / 10 - time.monotonic()))
    names, values = [l.split() for l in open("/proc/net/snmp") if l.startswith("Tcp:")]
    print(values[names.index("PassiveOpens")])
"""

CHECKS = {"TCP": "type: TCP, tcp: {}", "HTTP": "type: HTTP, http: {path: /healthz}",
          "HTTPS": "type: HTTP, http: {path: /healthz}"}


def manifest(kind):
    """Everything for ENDPOINTS endpoints; each Backend on a listener of its own."""
    count = (ENDPOINTS + PER_BACKEND - 1) // PER_BACKEND
    tls = "\n  tls: {insecureSkipVerify: true, sni: a.example}" if kind == "HTTPS" else ""
    port = 8443 if kind == "HTTPS" else 8080
    docs = [GATEWAY % (lib.VIP4, "\n".join(
        f"  - {{name: l{n}, port: {1000 + n}, protocol: TCP}}" for n in range(count)))]
    for n in range(count):
        hosts = range(n * PER_BACKEND, min(ENDPOINTS, (n + 1) * PER_BACKEND))
        rows = "\n".join(f"  - ip: {{address: 10.99.{h // 250}.{h % 250 + 1}, port: {port}}}"
                         for h in hosts)
        docs += [BACKEND % (n, tls, rows), ROUTE % (n, n, n)]
    docs.append(POLICY % CHECKS[kind])
    return "---".join(docs)


def topology():
    """The two namespaces, with the servers running."""
    net = lib.Net()
    for name in ("client", "gw", "servers"):
        net.ns(name)
    net.veth("client", "c0", "gw", "front")
    net.veth("servers", "eth0", "gw", "back")
    net.addr("gw", "front", "198.51.100.1/24")
    net.addr("gw", "back", "203.0.113.1/24")
    net.addr("servers", "eth0", "203.0.113.2/24")
    net.exec("gw", "ip", "route", "add", "10.99.0.0/16", "via", "203.0.113.2")
    net.exec("servers", "ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo")
    pem = os.path.join(net.dir, "both.pem")
    lib.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "30", "-subj", "/CN=a.example", "-keyout", pem, "-out", pem + ".crt")
    with open(pem, "a", encoding="ascii") as out, open(pem + ".crt", encoding="ascii") as crt:
        out.write(crt.read())
    path = os.path.join(net.dir, "server.cfg")
    with open(path, "w", encoding="ascii") as config:
        config.write(SERVER % pem)
    net.popen("servers", "haproxy", "-db", "-f", path)
    return net


def cpu_s(pid):
    """User and system time of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    """Resident memory of a process, at most."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


def starts(net):
    """Connections that the servers' side took in each tenth of a second, over PROBES_SECONDS."""
    text = net.exec("servers", sys.executable, "-c", SAMPLER, str(SECONDS * 10),
                    timeout=SECONDS + 30).stdout
    counts = [int(line) for line in text.split()]
    return [b - a for a, b in zip(counts, counts[1:])]


def states(gateway):
    """How many endpoints are in which state."""
    return dict(collections.Counter(e["state"] for e in gateway.endpoints().values()))


def measure(kind):
    """One kind of check, in a topology of its own."""
    with topology() as net:
        gateway = lib.Gateway(net, args=("--max-endpoints", "16384")).start()
        idle = memory_mb(gateway.process.pid)
        path = os.path.join(net.dir, "all.yaml")
        with open(path, "w", encoding="ascii") as out:
            out.write(manifest(kind))
        gateway.ctl("apply", "-f", path, timeout=120)
        time.sleep(SETTLE_S)
        before, began = cpu_s(gateway.process.pid), time.monotonic()
        spread = starts(net)
        used = cpu_s(gateway.process.pid) - before
        percent = 100 * used / (time.monotonic() - began)
        result = {"kind": kind, "cpu_percent": percent, "rss_mb": memory_mb(gateway.process.pid),
                  "idle_mb": idle, "states": states(gateway),
                  "probes_per_s": 10 * sum(spread) / len(spread),
                  "starts": spread}
        result["us_per_probe"] = percent * 1e4 / max(result["probes_per_s"], 1)
        gateway.kill()
        gateway.detach()
    return result


def report(result):
    """Prints a result; returns whether it is within its limits."""
    limit = LIMITS.get(result["kind"])
    print(f"{result['kind']:6} {ENDPOINTS} endpoints every 3 s: {result['cpu_percent']:.1f} % of a "
          f"core{f' (limit {limit})' if limit else ''}, {result['probes_per_s']:.0f} probes/s, "
          f"{result['us_per_probe']:.0f} us each, {result['rss_mb']:.0f} MB "
          f"(limit {LIMIT_MB}; {result['idle_mb']:.0f} before), {result['states']}")
    ordered = sorted(result["starts"])
    print(f"       starts in 100 ms: least {ordered[0]}, median {ordered[len(ordered) // 2]}, most "
          f"{ordered[-1]}; one interval: " + " ".join(str(n) for n in result["starts"][:30]))
    return (not limit or result["cpu_percent"] <= limit) and result["rss_mb"] <= LIMIT_MB


def main():
    """All kinds; JSON goes to the build directory. Exit 1 when a limit is passed."""
    results = [measure(kind) for kind in KINDS]
    good = [report(r) for r in results]
    with open(os.path.join(lib.BUILD, "probes.json"), "w", encoding="ascii") as out:
        json.dump(results, out, indent=2)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
