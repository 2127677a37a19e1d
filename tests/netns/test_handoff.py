# SPDX-License-Identifier: BSD-2-Clause
"""Connections that go through the userspace path, whatever happens to HAProxy, the daemon and endpoints."""
import hashlib
import json
import os
import re
import signal
import sys
import time

import pytest

import handoff
import lib
import webserver
from handoff import (Authority, Seer, active, apply, backend, curl, gateway, haproxies, ip, policy,
                     ready, route, unix)
from load import Connections, Load

SKIP = {"insecureSkipVerify": True}
PROXY_GONE = "there is no such socket"


@pytest.fixture
def gw(net):
    """A running gateway."""
    it = lib.Gateway(net).start()
    yield it
    print(it.log())


@pytest.fixture
def pem(net):
    """A certificate that servers may show."""
    return Authority(net).issue("web.test")


def secure(net, pem, *hosts):
    """Web servers over TLS, and their endpoints."""
    for host in hosts:
        lib.Web(net, host, 8443, pem).start()
    return [ip(lib.addr4(host)) for host in hosts]


def serve(gw, endpoints, *more, tls=SKIP):
    """One Backend over TLS behind the VIP, served."""
    apply(gw, gateway(), route("web"), backend("web", endpoints, tls), *more)
    ready(gw)


def test_a_unix_socket_is_served_when_haproxys_user_may_use_it(net, gw):
    path = os.path.join(net.dir, "web.sock")
    web, address = lib.Web(net, "gw", path).start(), "unix:" + path
    os.chmod(path, 0o600)
    apply(gw, gateway(), route("web"), backend("web", [unix(path)]),
          policy(healthCheck=active(type="TCP", tcp={})))

    def trouble(text):
        row = gw.endpoints()[address]
        return text in (row.get("problem") or "") and text in handoff.condition(
            gw, "backend", "web", "Programmed")
    lib.wait_for("the problem", lambda: trouble("permission denied"))
    lib.wait_for("down", lambda: gw.endpoints()[address]["latest"] == "permission denied")
    assert gw.endpoints()[address]["state"] == "down"
    os.chmod(path, 0o666)
    gw.wait_state(address, "up")
    lib.wait_for("no problem", lambda: not gw.endpoints()[address].get("problem"))
    assert not handoff.condition(gw, "backend", "web", "Programmed")
    assert curl(net) == (0, "gw")
    assert gw.endpoints()[address]["path"] == "userspace"
    web.kill()
    os.unlink(path)
    lib.wait_for("the problem", lambda: trouble(PROXY_GONE))
    gw.wait_state(address, "down")
    web.start()
    gw.wait_state(address, "up")
    lib.wait_for("served", lambda: curl(net) == (0, "gw"))


def test_weights_hold_across_both_paths(net, gw, pem):
    near = [ip(lib.addr4("p1"), 8080)]
    lib.Web(net, "p1").start()
    far = secure(net, pem, "p2")
    for weights, due in (((1, 1), 50), ((3, 1), 25)):
        apply(gw, gateway(), route(("near", weights[0]), ("far", weights[1])), backend("near", near),
              backend("far", far, SKIP))
        ready(gw)
        result = lib.fetch(net, lib.VIP4, 4000, parallel=32)
        assert result["errors"] == []
        assert abs(result["answers"]["p2"] / 40 - due) < 2, result["answers"]


def test_haproxy_is_killed_and_connections_wait_for_the_next(net, gw, pem):
    serve(gw, secure(net, pem, "p1", "p2"))
    for _ in range(2):
        load = Load(net, rate=100)
        time.sleep(0.5)
        gone = time.monotonic()
        handoff.kill_haproxy(net)
        time.sleep(1.5)
        result = load.stop()
        # those that it had are lost with it, those that come wait in the sockets' queues
        assert all(at < gone + 0.05 for at in result["failed_at"]), (gone, result)
        assert sum(result["answers"].values()) > 150
    assert "haproxy ended by signal 9" in gw.log()


@pytest.mark.parametrize("sig", (signal.SIGKILL, signal.SIGTERM))
def test_the_daemon_ends_and_the_next_takes_over(net, gw, pem, sig):
    serve(gw, secure(net, pem, "p1", "p2"))
    held, load = Connections(net, 4), Load(net, rate=80)
    before = haproxies(net)
    gw.kill(sig)
    time.sleep(0.5)
    assert held.use() == held.where
    gw.start()
    ready(gw)
    lib.wait_for("a HAProxy of its own", lambda: set(haproxies(net)) - set(before))
    time.sleep(3)  # the old one was asked to finish
    assert held.use() == held.where
    assert set(haproxies(net)) > set(before)  # for the connections that are left
    result = load.stop()
    assert result["errors"] == []
    held.close_all()
    lib.wait_for("the old one ended", lambda: not set(before) & set(haproxies(net)))
    assert curl(net)[0] == 0


@pytest.mark.parametrize("path", ("userspace", "xdp"))
def test_a_hundred_changes_of_endpoints_lose_nothing(net, gw, pem, path):
    tls = SKIP if path == "userspace" else None
    three = secure(net, pem if tls else None, "p1", "p2", "p3")
    serve(gw, three[:1], tls=tls)
    load = Load(net, rate=80)
    began = time.monotonic()
    for n in range(100):
        apply(gw, backend("web", [three[n % 3], three[(n + n // 3) % 3]][:1 + n % 2], tls))
    print(f"100 changes in {time.monotonic() - began:.1f} s")
    result = load.stop()
    assert result["errors"] == []
    assert len(result["answers"]) == 3
    assert {row["path"] for row in gw.endpoints().values()} == {path}
    assert len(haproxies(net)) == bool(tls)  # it was told of all


def test_new_settings_lose_nothing(net, gw, pem):
    """With other endpoints at once; HAProxy has such settings from its configuration only."""
    three = secure(net, pem, "p1", "p2", "p3")
    serve(gw, three[:1])
    held, load = Connections(net, 2), Load(net, rate=100)
    for n in range(6):
        before = haproxies(net)
        apply(gw, backend("web", [three[(n + 1) % 3]], SKIP),
              policy(timeout={"tcp": {"connectTimeout": f"{n * 100 + 1100}ms"}}))
        lib.wait_for("another", lambda b=before: haproxies(net)[-1:] != b[-1:])
        time.sleep(0.3)
    assert held.use() == ["p1"] * 2
    assert load.stop()["errors"] == []


def test_more_endpoints_than_sockets_lose_nothing(net, gw, pem):
    three = secure(net, pem, "p1", "p2", "p3")
    for host, first in (("p1", 30), ("p2", 130)):
        lines = "".join(f"addr add 203.0.113.{n}/24 dev eth0\n" for n in range(first, first + 100))
        net.exec(host, "ip", "-batch", "-", stdin=lines)
    serve(gw, three)
    held, load = Connections(net, 4), Load(net, rate=60)
    before = haproxies(net)
    for count in (70, 200):
        began = time.monotonic()
        apply(gw, backend("web", [ip(f"203.0.113.{30 + n}") for n in range(count)], SKIP))
        applied = time.monotonic() - began
        ready(gw)
        print(f"{count} endpoints: applied in {applied:.2f} s, served in "
              f"{time.monotonic() - began:.2f} s")
        assert len(gw.endpoints()) == count
        assert applied < 2
    time.sleep(0.5)
    assert held.use() == held.where
    assert load.stop()["errors"] == []
    held.close_all()
    lib.wait_for("the old ones ended", lambda: len(haproxies(net)) == 1)
    assert haproxies(net) != before
    assert gw.counters()["steer_no_socket"] == 0


def test_detach_ends_haproxy(net, gw, pem):
    serve(gw, secure(net, pem, "p1"))
    assert curl(net) == (0, "p1")
    assert haproxies(net)
    gw.kill(signal.SIGTERM)
    assert curl(net) == (0, "p1")
    gw.detach()
    lib.wait_for("no HAProxy", lambda: not haproxies(net))


def test_without_haproxy_the_rest_works_and_conditions_say_so(net, pem):
    gw = lib.Gateway(net).start("--haproxy", "/nonexistent")
    lib.Web(net, "p1").start()
    apply(gw, gateway((80, 81)), route("near", "far"), route("far", name="far", port=81),
          backend("near", [ip(lib.addr4("p1"), 8080)]),
          backend("far", secure(net, pem, "p2"), SKIP))
    assert lib.fetch(net, lib.VIP4, 20)["answers"] == {"p1": 20}
    assert curl(net, port=81)[0] == 7
    for kind, name in (("backend", "far"), ("tcproute", "far"), ("tcproute", "web")):
        assert "apt-get install haproxy" in handoff.condition(gw, kind, name, "Programmed"), kind
    assert "apt-get install haproxy" in gw.log()
    row = gw.endpoints()["203.0.113.12:8443"]
    assert not row["carried"]


@pytest.mark.parametrize("version", ("V1", "V2"))
def test_the_client_is_named_by_the_proxy_protocol(net, gw, version):
    seer = Seer(net, "gw", [{"port": 8080, "proxy": True}])
    seer.port = 8080
    apply(gw, gateway(addresses=(lib.VIP4, lib.VIP6)), route("web"),
          backend("web", [ip("203.0.113.1", 8080)]), policy(proxyProtocol={"version": version}))
    ready(gw)
    assert curl(net) == (0, "gw")
    assert curl(net, vip=lib.VIP6) == (0, "gw")
    seen = seer.seen(8080)
    assert [row["client"] for row in seen] == ["198.51.100.2", "2001:db8:f::2"]
    assert {row["header"] for row in seen} == {int(version[1])}


def test_connections_have_the_settings_of_the_policy(net, gw, pem):
    first, = secure(net, pem, "p1")
    web = lib.Web(net, "p2", 8443, pem).start()
    serve(gw, [first], policy(
        timeout={"tcp": {"connectTimeout": "1s"}},
        tcpKeepalive={"probes": 3, "idleTime": "60s", "interval": "10s"}))
    held = Connections(net, 3)
    assert held.where == ["p1"] * 3
    timers = re.findall(r"timer:\(keepalive,(\w+),", net.exec(
        "gw", "ss", "-Htno", "dst", lib.addr4("p1")).stdout)
    assert len(timers) == 3 and all(t.endswith(("sec", "min")) for t in timers), timers
    apply(gw, backend("web", [ip(lib.addr4("p2"))], SKIP))
    lib.wait_for("the other", lambda: curl(net) == (0, "p2"))
    web.drop_all()
    began = time.monotonic()
    assert curl(net, timeout=10)[0] in (52, 56)
    assert 0.8 < time.monotonic() - began < 3.5
    lib.wait_for("counted", lambda: gw.endpoints()["203.0.113.12:8443"]["failedConnections"] > 0)


@pytest.mark.parametrize("drops", (False, True))
def test_an_endpoint_that_takes_no_connections_is_ejected(net, gw, pem, drops):
    endpoints = secure(net, pem, "p1") + [ip(lib.addr4("p2"))]
    if drops:
        lib.Web(net, "p2", 8443, pem).drop_all()
    serve(gw, endpoints, policy(timeout={"tcp": {"connectTimeout": "500ms"}}, healthCheck={
        "passive": {"interval": "1s", "baseEjectionTime": "30s", "maxEjectionPercent": 100}}))
    load = Load(net, rate=60)
    event = gw.wait_event(kind="endpoint", subject="203.0.113.12:8443", to="ejected")
    load.stop()
    assert "consecutive failures" in event["reason"]
    result = lib.fetch(net, lib.VIP4, 100)
    assert result["errors"] == [] and result["answers"] == {"p1": 100}
    assert gw.endpoints()["203.0.113.11:8443"]["state"] == "up"


def test_a_limit_of_connections_is_no_failure_of_the_endpoint(net, gw, pem):
    serve(gw, secure(net, pem, "p1"), policy(
        circuitBreaker={"maxConnections": 3}, healthCheck={"passive": {
            "consecutive5XxErrors": 3, "interval": "1s", "maxEjectionPercent": 100}}))
    held = Connections(net, 3)
    assert held.where == ["p1"] * 3
    for _ in range(10):
        assert curl(net)[0] in (52, 56)  # one too many is ended at once
    lib.wait_for("counted", lambda: gw.endpoints()["203.0.113.11:8443"]["failedConnections"] == 10)
    time.sleep(1)
    assert gw.events(to="ejected") == []
    held.close_all()
    lib.wait_for("room again", lambda: curl(net) == (0, "p1"))


def test_the_gateway_host_itself_is_a_client_too(net, gw, pem):
    serve(gw, secure(net, pem, "p1", "p2"))
    got = {curl(net, client="gw") for _ in range(20)}
    assert got == {(0, "p1"), (0, "p2")}
    assert curl(net)[0] == 0


SIZE = 1_000_000_000
UPLOAD = """
import http.client, sys
sys.path.insert(0, sys.argv[1])
import webserver
to = http.client.HTTPConnection("192.0.2.10", 80, timeout=60)
to.request("POST", "/sum", webserver.noise(int(sys.argv[2])), {"Content-Length": sys.argv[2]})
print(to.getresponse().read().decode())
"""


def test_a_gigabyte_arrives_as_it_was_sent_both_ways(net, gw):
    path = os.path.join(net.dir, "web.sock")
    lib.Web(net, "gw", path).start()
    serve(gw, [unix(path)], tls=None)
    digest = hashlib.sha256()
    for piece in webserver.noise(SIZE):
        digest.update(piece)
    began = time.monotonic()
    down = net.exec("client", "sh", "-c", f"curl -sS http://{lib.VIP4}/noise/{SIZE} | sha256sum")
    up = net.exec("client", sys.executable, "-c", UPLOAD, lib.HERE, str(SIZE))
    print(f"{time.monotonic() - began:.1f} s")
    assert down.stdout.split()[0] == up.stdout.strip() == digest.hexdigest()
    lib.wait_for("counted", lambda: gw.endpoints()["unix:" + path]["bytesIn"] > SIZE)
    assert gw.endpoints()["unix:" + path]["bytesOut"] > SIZE


def test_a_drain_waits_for_the_connections_there_are(net, gw, pem):
    serve(gw, secure(net, pem, "p1", "p2"))
    held = Connections(net, 6)
    assert set(held.where) == {"p1", "p2"}
    drain = net.popen("gw", lib.SPILLWAY, "--socket", gw.socket, "drain", "endpoint",
                      "203.0.113.11:8443", "--wait")
    gw.wait_state("203.0.113.11:8443", "draining")
    result = lib.fetch(net, lib.VIP4, 100)
    assert result["errors"] == [] and result["answers"] == {"p2": 100}
    assert held.use() == held.where
    assert drain.poll() is None
    held.close_all("p1")
    assert drain.wait(timeout=15) == 0
    gw.ctl("set", "endpoint", "203.0.113.11:8443", "--state", "auto")
    lib.wait_for("back", lambda: curl(net) == (0, "p1"), every=0.01)
    assert json.dumps(held.use()) == json.dumps([w for w in held.where if w != "p1"])
