# SPDX-License-Identifier: BSD-2-Clause
"""A daemon that is busy or stopped for seconds takes nobody out for that; nor does a long run of
ejections leave anything behind."""
import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

import lib
from load import Load

CHECKED, PER_BACKEND, HTTP = 1000, 250, 500
BUSY_S = 2

# Answers after 700 ms, so that hundred probes and more are under way at any time.
SLOW = """
import asyncio
class Slow(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        asyncio.get_running_loop().call_later(0.7, self.answer)
    def answer(self):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
        self.transport.close()
async def main():
    server = await asyncio.get_running_loop().create_server(Slow, "0.0.0.0", 8081, backlog=4096)
    await server.serve_forever()
asyncio.run(main())
"""


def route(name, port, refs):
    """A TCPRoute to Backends, on the listener of its name."""
    rows = "\n".join(f"    - {{group: gateway.envoyproxy.io, kind: Backend, name: {r}}}"
                     for r in refs)
    return f"""apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: edge, sectionName: l{port}}}]
  rules:
  - backendRefs:
{rows}
"""


def backend(name, addresses, port=8080):
    """A Backend of these addresses."""
    rows = "\n".join(f"  - ip: {{address: {a}, port: {port}}}" for a in addresses)
    return f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: {name}}}
spec:
  endpoints:
{rows}
"""


def policy(name, health):
    """What judges the endpoints of a route."""
    return f"""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: {name}}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: TCPRoute, name: {name}}}]
  healthCheck: {health}
"""


def gateway(*ports):
    """A Gateway with these listeners."""
    rows = "\n".join(f"  - {{name: l{p}, port: {p}, protocol: TCP}}" for p in ports)
    return f"""apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: {lib.VIP4}}}]
  listeners:
{rows}
"""


def address(index):
    """One of the many addresses of p1."""
    return f"10.99.{index // 250}.{index % 250 + 1}"


def many_addresses(net):
    """Everything in 10.99.0.0/16 is p1."""
    net.exec("p1", "ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo")
    net.exec("gw", "ip", "route", "add", "10.99.0.0/16", "via", lib.addr4("p1"))


def cpu_s(pid):
    """User and system time of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def out_events(gw):
    """Everybody who was taken out."""
    return [e for e in gw.events(kind="endpoint") if e["to"] in ("down", "ejected")]


@pytest.fixture
def checked(system):
    """1,000 endpoints checked every 3 s, and three under load that are judged by all there is."""
    net, gw = system.net, system.gw
    many_addresses(net)
    net.popen("p1", "nice", "-n", "-10", sys.executable, "-c", SLOW)  # no test of this one
    lib.wait_for("slow server", lambda: ":8081" in net.exec("p1", "ss", "-Hltn").stdout)
    once = "interval: 3s, timeout: 1500ms, unhealthyThreshold: 1"
    docs = [gateway(80, 81, 82), route("web", 80, ["web"]),
            backend("web", [lib.addr4(h) for h in ("p1", "p2", "p3")]),
            policy("web", f"{{active: {{type: TCP, tcp: {{}}, {once}}}, passive: {{interval: 500ms, "
                   "consecutive5XxErrors: 2, maxEjectionPercent: 100}}")]
    names = {"tcp": [], "http": []}
    for first in range(0, CHECKED, PER_BACKEND):
        names["http" if first < HTTP else "tcp"].append(f"b{first}")
        docs.append(backend(f"b{first}", [address(i) for i in range(first, first + PER_BACKEND)],
                            8081))
    docs += [route("tcp", 81, names["tcp"]), route("http", 82, names["http"]),
             policy("tcp", f"{{active: {{type: TCP, tcp: {{}}, {once}}}}}"),
             policy("http", f"{{active: {{type: HTTP, http: {{path: /healthz}}, {once}}}}}")]
    gw.apply("---\n".join(docs))
    lib.wait_for("all up", lambda: [e["state"] for e in gw.endpoints().values()].count("up")
                 == CHECKED + 3, timeout=30, every=0.5)
    return system


def test_a_daemon_that_is_stopped_for_seconds_takes_nobody_out(checked):
    load = Load(checked.net, rate=100)
    time.sleep(1)
    for _ in range(3):
        checked.gw.process.send_signal(signal.SIGSTOP)
        time.sleep(BUSY_S)
        checked.gw.process.send_signal(signal.SIGCONT)
        time.sleep(2)  # the probes of then have ended
    assert load.stop()["errors"] == []
    assert out_events(checked.gw) == []


@contextlib.contextmanager
def crowded(pid, others):
    """The process shares one processor with so many others that never rest."""
    cpu = max(os.sched_getaffinity(pid))
    rest = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        for one in [pid] + [r.pid for r in rest]:
            os.sched_setaffinity(one, {cpu})
        yield
    finally:
        for r in rest:
            r.kill()
            r.wait()


def test_a_daemon_that_applies_for_seconds_takes_nobody_out(checked, tmp_path):
    gw, load, worst = checked.gw, Load(checked.net, rate=100), 0
    # As many values as a request may have, nearly. They are too quickly done by a whole processor.
    (tmp_path / "many.yaml").write_text("---\n".join(
        backend(f"n{n}", [f"10.98.{k}.{n % 250}" for k in range(20)]) for n in range(20000)))
    with crowded(gw.process.pid, 2):
        with subprocess.Popen([lib.SPILLWAY, "--socket", gw.socket, "apply", "-f",
                               str(tmp_path / "many.yaml")], stdout=subprocess.DEVNULL) as apply:
            while apply.poll() is None:
                asked = time.monotonic()
                gw.ctl("status", timeout=240)
                worst = max(worst, time.monotonic() - asked)
        assert apply.returncode == 0
        time.sleep(2)
    print(f"the daemon answered nobody for {worst:.1f} s")
    assert worst >= BUSY_S
    assert load.stop()["errors"] == []
    assert out_events(gw) == []


# New connections to the VIP, 2,000 a second at most.
KNOCK = """
import socket, sys, time
began, n = time.monotonic(), 0
while n < 200000:
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((sys.argv[1], 80))
    s.close()
    n += 1
    time.sleep(max(0, began + n / 2000 - time.monotonic()))
"""


def test_thousands_of_ejections_leave_nothing_behind(system):
    def use():
        """Resident KiB, descriptors, and events so far."""
        with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
            pages = int(statm.read().split()[1])
        return (pages * 4, len(os.listdir(f"/proc/{pid}/fd")),
                gw.json("events", "--limit", "1")["last"])

    def quiet():
        """CPU time of two seconds without traffic."""
        before = cpu_s(pid)
        time.sleep(2)
        return cpu_s(pid) - before

    net, gw = system.net, system.gw
    pid, count = gw.process.pid, 200
    many_addresses(net)
    gw.apply("---\n".join((gateway(80), route("web", 80, ["web"]), policy(
        "web", "{passive: {interval: 100ms, baseEjectionTime: 100ms, maxEjectionPercent: 100, "
        "consecutive5XxErrors: 1}}"), backend("web", [address(n) for n in range(count)], 9999))))
    cpu_before = quiet()
    knock = net.popen("client", sys.executable, "-c", KNOCK, lib.VIP4)
    lib.wait_for("the log of events to be full", lambda: use()[2] > 4000, timeout=60)
    early = use()
    lib.wait_for("2,000 ejections and returns", lambda: use()[2] > early[2] + 4000, timeout=60)
    late = use()
    net.kill(knock)
    lib.wait_for("all back", lambda: not any(
        e["state"] == "ejected" for e in gw.endpoints().values()), timeout=30)
    cpu_after = quiet()
    print(f"KiB, descriptors, events: {early}, then {late}; idle CPU {cpu_before:.2f} s, then "
          f"{cpu_after:.2f} s")
    assert late[0] < early[0] * 1.1 + (2 << 10) and late[1] <= early[1] + 2
    assert cpu_after < cpu_before + 0.2
