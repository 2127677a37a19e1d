# SPDX-License-Identifier: BSD-2-Clause
"""What an operator does: endpoints down and draining, wrong manifests, deletion."""
import lib
from load import Connections, Load


def test_an_endpoint_set_down_gets_no_new_connection_and_no_other_breaks(served):
    held = Connections(served.net, 60)
    assert {"p1", "p2", "p3"} == set(held.where)
    load = Load(served.net)
    served.gw.ctl("set", "endpoint", lib.endpoint("p1"), "--state", "down")
    opened = served.gw.endpoints()[lib.endpoint("p1")]["totalFlows"]
    result = served.fetch(3000)
    assert result["errors"] == []
    assert "p1" not in result["answers"]
    assert served.gw.endpoints()[lib.endpoint("p1")]["totalFlows"] == opened
    assert load.stop()["errors"] == []
    assert held.use() == held.where  # those of p1 too: down refuses new ones


def test_no_new_connection_arrives_from_the_moment_the_command_returns(served):
    load = Load(served.net, parallel=32)
    try:
        for _ in range(15):
            served.gw.ctl("set", "endpoint", lib.endpoint("p2"), "--state", "down")
            first = served.gw.endpoints()[lib.endpoint("p2")]["totalFlows"]
            lib.time.sleep(0.15)
            assert served.gw.endpoints()[lib.endpoint("p2")]["totalFlows"] == first
            served.gw.ctl("set", "endpoint", lib.endpoint("p2"), "--state", "auto")
            lib.time.sleep(0.1)
    finally:
        result = load.stop()
    assert result["errors"] == []
    assert result["answers"]["p2"] > 0


def test_down_is_never_picked_in_panic(system):
    system.gw.apply(lib.manifest(fallbacks=()))
    for host in ("p1", "p2", "p3"):
        system.gw.wait_state(lib.endpoint(host), "up")
    for host in ("p1", "p2", "p3"):
        with open(system.web[host].count_file + ".health", "w", encoding="ascii") as text:
            text.write("503")
    for host in ("p1", "p2", "p3"):
        system.gw.wait_state(lib.endpoint(host), "down")
    spread = system.fetch(600)  # panic: all are used although unhealthy
    assert spread["errors"] == [] and set(spread["answers"]) == {"p1", "p2", "p3"}
    system.gw.ctl("set", "endpoint", lib.endpoint("p3"), "--state", "down")
    without = system.fetch(600)
    assert without["errors"] == [] and set(without["answers"]) == {"p1", "p2"}
    assert "dropped" not in system.gw.ctl("endpoints", "web")
    for host in ("p1", "p2"):
        system.gw.ctl("set", "endpoint", lib.addr4(host), "--state", "down")
    assert ("no endpoint may be picked: new flows get a TCP RST"
            in system.gw.ctl("endpoints", "web"))


def test_drain_lets_connections_finish(served):
    held = Connections(served.net, 30)
    there = held.where.count("p1")
    assert there > 0
    served.gw.ctl("set", "endpoint", lib.endpoint("p1"), "--state", "drain")
    row = served.gw.endpoints()[lib.endpoint("p1")]
    assert row["state"] == "draining" and row["activeFlows"] == there
    assert "p1" not in served.fetch(1000)["answers"]
    assert held.use() == held.where
    held.close_all()
    lib.wait_for("drained", lambda: served.gw.endpoints()[lib.endpoint("p1")]["activeFlows"] == 0)
    served.gw.ctl("set", "endpoint", lib.endpoint("p1"), "--state", "auto")
    assert served.fetch(600)["answers"]["p1"] > 100


def test_three_mistakes_are_three_errors_and_change_nothing(served, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("""apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: web}
spec:
  endpoints:
  - ip: {address: 300.0.0.1, port: 8080}
  - ip: {address: 203.0.113.11, port: 99999}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: other}
spec:
  type: Static
""", encoding="ascii")
    before = served.gw.json("get", "backends,gateways,tcproutes")
    done = lib.run(lib.SPILLWAY, "--socket", served.gw.socket, "apply", "-f", str(bad), check=False)
    assert done.returncode == 1 and done.stdout == ""
    for place in ("6:19: ", "7:39: ", "13:9: "):
        assert f"{bad}:{place}" in done.stderr, done.stderr
    assert served.gw.json("get", "backends,gateways,tcproutes") == before
    assert served.fetch(300)["errors"] == []


def test_one_bad_object_holds_back_the_good_ones(system):
    text = lib.manifest() + """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: bad}
spec: {colour: red}
"""
    done = lib.run(lib.SPILLWAY, "--socket", system.gw.socket, "apply", "-f", "-", stdin=text,
                   check=False)
    assert done.returncode == 1
    assert 'unknown field "spec.colour"' in done.stderr
    assert system.gw.json("get", "backends")["items"] == []


def test_apply_says_created_configured_unchanged(system):
    text = lib.manifest()
    assert system.gw.apply(text).split("\n")[1] == "backend.gateway.envoyproxy.io/web created"
    assert all(line.endswith(" unchanged") for line in system.gw.apply(text).strip().split("\n"))
    changed = system.gw.apply(text.replace("address: '203.0.113.13'", "address: '203.0.113.14'"))
    assert "backend.gateway.envoyproxy.io/web configured" in changed
    web = system.gw.json("get", "backend", "web")
    assert web["metadata"]["generation"] == 2


def test_config_changes_disturb_no_flow(served):
    held = Connections(served.net, 60)
    load = Load(served.net)
    served.gw.apply(lib.manifest(primaries=("p1", "p2", "p3", "f1"), fallbacks=("f2",)))
    assert held.use() == held.where
    served.gw.apply(lib.manifest(interval="300ms"))
    assert held.use() == held.where
    served.gw.apply(lib.manifest(primaries=("p1", "p2"), fallbacks=("f1", "f2")))
    assert held.use() == held.where  # those of p3 too, which is not in it any more
    assert load.stop()["errors"] == []


def test_deleted_routes_stop_serving_and_free_the_address(served):
    assert "deleted" in served.gw.ctl("delete", "tcproute", "web")
    closed = served.net.exec("client", "curl", "-sS", "--max-time", "3", f"http://{lib.VIP4}/",
                             check=False)
    assert closed.returncode != 0
    served.gw.ctl("delete", "gateway", "edge")
    local = served.net.exec("gw", "ip", "route", "show", "table", "local").stdout
    lib.wait_for("VIP given up", lambda: lib.VIP4 not in served.net.exec(
        "gw", "ip", "route", "show", "table", "local").stdout)
    assert "198.51.100.1" in local
