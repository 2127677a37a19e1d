#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How the manifest path grows: 100, 1,000 and 10,000 Backends of ten endpoints, each behind a TCPRoute.

One namespace with spillwayd, nothing answers and nothing is checked. For each size: validate, a first
apply, the same again, and one Backend of them changed, some times (the median is told); wall time, CPU and
peak memory of the client, CPU, memory of its own and its peak of the daemon, and for how long its loop
answered nobody meanwhile (the longest wait of a client that asks for /healthz all the time).
"""
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import lib  # noqa: E402

SIZES = [int(n) for n in os.environ.get("SCALE_SIZES", "100,1000,10000").split(",")]
ENDPOINTS = 10
POOL = 50000  # different addresses: more than 65,534 do not fit
CHANGES = 9
LISTENERS = 64
TICK_S = 1 / os.sysconf("SC_CLK_TCK")

GATEWAY = """apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g%d}
spec:
  gatewayClassName: spillway
  addresses: [{value: 198.18.%d.%d}]
  listeners:
"""
LISTENER = "  - {name: l%d, protocol: TCP, port: %d}\n"
BACKEND = """apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: b%d
spec:
  endpoints:
"""
ENDPOINT = "  - ip:\n      address: 10.%d.%d.%d\n      port: 8080\n"
ROUTE = """apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata:
  name: r%d
spec:
  parentRefs:
  - name: g%d
    sectionName: l%d
  rules:
  - backendRefs:
    - group: gateway.envoyproxy.io
      kind: Backend
      name: b%d
"""


def backend(number, endpoints=ENDPOINTS):
    """A Backend; neighbours of a far one have the same addresses when there are too many."""
    text = BACKEND % number
    for n in range(number * ENDPOINTS, number * ENDPOINTS + endpoints):
        host = n % POOL
        text += ENDPOINT % (host // 62500, host // 250 % 250, host % 250 + 1)
    return text


def manifest(size):
    """All of it as one text."""
    docs = []
    for first in range(0, size, LISTENERS):
        gateway = first // LISTENERS
        docs.append(GATEWAY % (gateway, gateway // 256, gateway % 256) + "".join(
            LISTENER % (n, 100 + n) for n in range(min(LISTENERS, size - first))))
    for n in range(size):
        docs += [backend(n), ROUTE % (n, n // LISTENERS, n % LISTENERS, n)]
    return "---\n".join(docs)


class Waiter(threading.Thread):
    """Asks for /healthz over one connection until stop(); .longest is the longest answer took."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.longest, self.ended = 0.0, False

    def run(self):
        while not self.ended:
            began = time.monotonic()
            self.socket.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            if not self.socket.recv(4096):
                return
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)

    def stop(self):
        """The longest wait in seconds."""
        self.ended = True
        self.join()
        self.socket.close()
        return self.longest


def cpu_s(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def own_mb(pid):
    """Memory of the process alone: maps that it shares with the kernel are not in it."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"RssAnon:\s+(\d+)", status.read())[1]) / 1024


class Peak(threading.Thread):
    """Looks at the memory of a process until stop()."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.ended = pid, 0.0, False

    def run(self):
        while not self.ended:
            self.most = max(self.most, own_mb(self.pid))
            time.sleep(0.01)

    def stop(self):
        """The most that was seen, in MiB."""
        self.ended = True
        self.join()
        return self.most


def client(*command):
    """Wall time and CPU in seconds and peak memory in MiB of a run that must succeed."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise lib.Failed(f"{command}: {process.returncode}")
    return {"wall_s": time.monotonic() - began, "client_cpu_s": usage.ru_utime + usage.ru_stime,
            "client_mb": usage.ru_maxrss / 1024}


def measure(gateway, pid, path):
    """The figures of one apply."""
    waiter, peak = Waiter(gateway.socket), Peak(pid)
    cpu = cpu_s(pid)
    waiter.start()
    peak.start()
    row = client(lib.SPILLWAY, "--socket", gateway.socket, "apply", "-f", path)
    return row | {"blocked_s": waiter.stop(), "daemon_cpu_s": cpu_s(pid) - cpu,
                  "daemon_peak_mb": peak.stop(), "daemon_mb": own_mb(pid)}


def measure_changes(gateway, pid, paths):
    """Medians of many changes of one Backend, which take turns."""
    rows = [measure(gateway, pid, paths[n % 2]) for n in range(CHANGES)]
    row = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    row["daemon_cpu_s"] = sum(row["daemon_cpu_s"] for row in rows) / CHANGES  # ticks are coarse
    return row


def bench(size):
    """The rows of one size."""
    with lib.Net() as net:
        net.ns("gw")
        net.exec("gw", "ip", "link", "add", "front", "type", "veth", "peer", "name", "peer")
        for dev in ("front", "peer"):
            net.exec("gw", "ip", "link", "set", dev, "up")
        net.addr("gw", "front", "198.51.100.1/24")
        net.exec("gw", "ip", "route", "add", "default", "via", "198.51.100.2")
        gateway = lib.Gateway(net, interfaces=("front",),
                              args=("--max-services", "16384", "--max-endpoints", "65534"))
        gateway.start()
        whole, one, other = (os.path.join(net.dir, name) for name in ("whole", "one", "other"))
        for path, text in ((whole, manifest(size)), (one, backend(7, ENDPOINTS - 1)),
                           (other, backend(7))):
            with open(path, "w", encoding="ascii") as out:
                out.write(text)
        pid = gateway.process.pid
        rows = {"validate": client(lib.SPILLWAY, "validate", "-f", whole)}
        for what in ("first apply", "again"):
            rows[what] = measure(gateway, pid, whole)
        rows["one changed"] = measure_changes(gateway, pid, (one, other))
        gateway.kill()
        gateway.detach()
        return rows


def show(size, rows):
    """Prints the rows of a size."""
    for what, row in rows.items():
        line = (f"  {size:6}  {what:12} {row['wall_s']:7.3f} s {row['client_cpu_s']:6.3f} s CPU "
                f"{row['client_mb']:5.0f} MiB")
        if "daemon_mb" in row:
            line += (f"   {row['daemon_cpu_s']:6.3f} s CPU {row['daemon_mb']:5.0f} MiB, "
                     f"at most {row['daemon_peak_mb']:5.0f}, blocked {row['blocked_s']:6.3f} s")
        print(line, flush=True)


def main():
    results = {}
    print("Backends  step            wall      client                 spillwayd")
    for size in SIZES:
        results[size] = bench(size)
        show(size, results[size])
    with open(os.path.join(lib.BUILD, "scale.json"), "w", encoding="ascii") as out:
        json.dump(results, out, indent=1)


if __name__ == "__main__":
    main()
