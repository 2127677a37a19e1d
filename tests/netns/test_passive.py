# SPDX-License-Identifier: BSD-2-Clause
"""Passive detection: no probe is sent, the packet path sees who does not answer."""
import re
import sys
import time

import lib
from load import Load

INTERVAL = 3.0


def policy(route="TCPRoute", name="web", **passive):
    """A BackendTrafficPolicy with nothing but passive detection."""
    fields = {"interval": "3s", "baseEjectionTime": "30s", "maxEjectionPercent": 100, **passive}
    rows = "\n".join(f"      {key}: {value}" for key, value in fields.items())
    return f"""---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: {name}}}
spec:
  targetRefs:
  - {{group: gateway.networking.k8s.io, kind: {route}, name: {name}}}
  healthCheck:
    passive:
{rows}
"""


def serve(system, **passive):
    """The standard manifest, judged passively."""
    system.gw.apply(lib.manifest(check=False, families=(4,)) + policy(**passive))
    time.sleep(0.3)


def test_a_blackholed_endpoint_is_out_within_one_interval(system):
    serve(system)
    load = Load(system.net, rate=60, timeout=3)
    time.sleep(1.5)
    assert system.gw.events(to="ejected") == []
    gone = time.monotonic()
    system.web["p1"].drop_all()
    event = system.gw.wait_event(kind="endpoint", subject=lib.endpoint("p1"), to="ejected")
    out = event["monotonicNs"] / 1e9
    time.sleep(1)
    result = load.stop()
    print(f"out after {out - gone:.2f} s; {len(result['errors'])} of "
          f"{sum(result['answers'].values()) + len(result['errors'])} requests failed")
    assert "no answer" in event["reason"]
    assert out - gone < INTERVAL
    assert all(gone - 0.1 <= at <= out + 0.05 for at in result["failed_at"])
    assert "p1" not in system.fetch(300)["answers"]
    row = system.gw.endpoints()[lib.endpoint("p1")]
    assert row["state"] == "ejected" and 0 < row["ejectedSecondsLeft"] <= 30


def test_a_killed_server_is_out_by_its_resets(system):
    serve(system)
    load = Load(system.net, rate=60)
    time.sleep(1)
    gone = time.monotonic()
    system.web["p2"].kill()
    event = system.gw.wait_event(kind="endpoint", subject=lib.endpoint("p2"), to="ejected")
    assert event["reason"] == "5 consecutive failures (connection refused)"
    assert event["monotonicNs"] / 1e9 - gone < 1.5
    load.stop()


def test_a_half_dead_endpoint_is_out_within_one_interval(system):
    serve(system)
    load = Load(system.net, rate=150, timeout=3)
    time.sleep(1)
    gone = time.monotonic()
    # of every 12 packets that ask for a connection 9 are lost
    system.web["p3"].drop_all("tcp flags & (syn | ack) == syn numgen random mod 12 < 9")
    event = system.gw.wait_event(kind="endpoint", subject=lib.endpoint("p3"), to="ejected")
    out = event["monotonicNs"] / 1e9 - gone
    print(f"out after {out:.2f} s: {event['reason']}")
    assert out < INTERVAL
    load.stop()


def test_the_ejection_ends_and_the_next_one_is_longer(system):
    # five failures come in much less than an interval: one without them would be forgiven
    serve(system, baseEjectionTime="1s", interval="1s")
    load = Load(system.net, rate=150, timeout=2)
    system.web["p1"].kill()
    address = lib.endpoint("p1")
    lib.wait_for("three ejections", lambda: len(
        system.gw.events(subject=address, to="ejected")) >= 3, timeout=30)
    rows = [e for e in system.gw.events(subject=address) if "ejected" in (e["from"], e["to"])]
    spans = [(b["monotonicNs"] - a["monotonicNs"]) / 1e9
             for a, b in zip(rows, rows[1:]) if a["to"] == "ejected"]
    assert 1.0 <= spans[0] <= 2.5 and 2.0 <= spans[1] <= 3.5, spans
    system.web["p1"].start()
    system.gw.wait_state(address, "up", timeout=15)
    load.stop()
    assert "p1" in system.fetch(300)["answers"]


def test_no_more_than_max_ejection_percent_are_ejected(system):
    serve(system, maxEjectionPercent=40)  # of 5 endpoints: 2
    load = Load(system.net, rate=150, timeout=3)
    for host in ("p1", "p2", "p3"):
        system.web[host].kill()
    lib.wait_for("two ejections", lambda: len(system.gw.events(to="ejected")) == 2)
    time.sleep(3)
    states = [system.gw.endpoints()[lib.endpoint(h)]["state"] for h in ("p1", "p2", "p3")]
    load.stop()
    assert sorted(states) == ["ejected", "ejected", "up"]


def test_one_endpoint_may_always_be_ejected(system):
    serve(system, maxEjectionPercent=10)  # of 5 endpoints: none, but for difference 20
    load = Load(system.net, rate=150, timeout=3)
    system.web["p1"].kill()
    system.gw.wait_event(subject=lib.endpoint("p1"), to="ejected")
    system.web["p2"].kill()
    time.sleep(2.5)
    load.stop()
    assert system.gw.endpoints()[lib.endpoint("p2")]["state"] == "up"


def test_a_successful_check_ends_the_ejection(system):
    text = lib.manifest(families=(4,)).replace("    active:", """    passive: {maxEjectionPercent: 100}
    active:""").replace("interval: 200ms", "interval: 3s")
    system.gw.apply(text)
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
    load = Load(system.net, rate=100, timeout=3)
    system.web["p1"].kill()
    system.gw.wait_event(subject=lib.endpoint("p1"), to="ejected")
    system.web["p1"].start()
    event = system.gw.wait_event(subject=lib.endpoint("p1"), to="up",
                                 **{"from": "ejected"}, timeout=10)
    load.stop()
    assert "check" in event["reason"]


UDP = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: udp}}
spec:
  gatewayClassName: spillway
  addresses: [{{value: 192.0.2.10}}]
  listeners: [{{name: echo, port: 7, protocol: UDP}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {{name: echo, annotations: {annotations}}}
spec:
  endpoints:
  - ip: {{address: 203.0.113.11, port: 7007}}
  - ip: {{address: 203.0.113.12, port: 7007}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: UDPRoute
metadata: {{name: echo}}
spec:
  parentRefs: [{{name: udp}}]
  rules:
  - backendRefs: [{{group: gateway.envoyproxy.io, kind: Backend, name: echo}}]
"""

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7007))
while True:
    data, peer = s.recvfrom(2048)
    s.sendto(data, peer)
"""

# A request a flow, 60 a second for the time given; prints how many were answered in 0.5 s.
ASK = """
import selectors, socket, sys, time
end, answered, asked, chosen = time.time() + float(sys.argv[1]), 0, 0, selectors.DefaultSelector()
while time.time() < end:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("192.0.2.10", 7))
    s.send(b"ping")
    asked += 1
    chosen.register(s, selectors.EVENT_READ)
    until = time.time() + 1 / 60
    while time.time() < until:
        for key, _ in chosen.select(max(0, until - time.time())):
            chosen.unregister(key.fileobj)
            try:
                answered += key.fileobj.recv(2048) == b"ping"
            except OSError:
                pass
            key.fileobj.close()
print(asked, answered)
"""


def udp(system, annotations="{}"):
    """Two echo servers behind a UDP service."""
    echos = {}
    for host in ("p1", "p2"):
        echos[host] = system.net.popen(host, sys.executable, "-c", ECHO)
        lib.wait_for("echo server", lambda h=host: ":7007" in system.net.exec(
            h, "ss", "-Hlun").stdout)
    system.gw.apply(UDP.format(annotations=annotations) + policy("UDPRoute", "echo"))
    time.sleep(0.3)
    return echos


def ask(system, seconds):
    """Starts the requests."""
    return system.net.popen("client", sys.executable, "-c", ASK, str(seconds),
                            stdout=lib.subprocess.PIPE)


def test_icmp_unreachable_ejects_a_udp_endpoint(system):
    echos = udp(system)
    asking = ask(system, 4)
    time.sleep(0.5)
    system.net.kill(echos["p1"])  # the host answers with ICMP port unreachable
    event = system.gw.wait_event(subject="203.0.113.11:7007", to="ejected")
    assert "ICMP unreachable" in event["reason"]
    asking.communicate(timeout=20)
    asked, answered = map(int, ask(system, 1).communicate(timeout=20)[0].split())
    assert asked == answered > 30


def test_a_silent_udp_endpoint_is_ejected_only_where_replies_are_expected(system):
    expected = '{"spillway.dev/udp-replies": expected}'
    for annotations, ejected in (("{}", False), (expected, True)):
        echos = udp(system, annotations)
        asking = ask(system, 5)
        time.sleep(0.5)
        system.web["p2"].drop_all("udp dport 7007")
        asking.communicate(timeout=20)
        rows = system.gw.events(subject="203.0.113.12:7007", to="ejected")
        assert bool(rows) == ejected, rows
        for echo in echos.values():
            system.net.kill(echo)
        system.web["p2"].drop_none()
    assert re.search("no answer|silent", rows[0]["reason"])
