# SPDX-License-Identifier: BSD-2-Clause
"""Dead endpoints are noticed and the fallback tier takes its share."""
import lib
from load import Connections, Load


def test_the_fallback_takes_over_by_envoys_arithmetic(served):
    """3 primaries: 100, 93, 46, 0 %."""
    held = Connections(served.net, 40)
    for killed, due in ((None, 100), ("p1", 93), ("p2", 46), ("p3", 0)):
        if killed:
            with open(served.web[killed].count_file + ".health", "w", encoding="ascii") as text:
                text.write("503")
            served.gw.wait_state(lib.endpoint(killed), "down")
        result = served.fetch(3000)
        assert result["errors"] == []
        tier0 = sum(result["answers"].get(h, 0) for h in ("p1", "p2", "p3")) / 30
        assert abs(tier0 - due) < 4
    assert held.use() == held.where  # unhealthy is not dead: nothing established was cut


def test_a_killed_server_is_out_and_comes_back(served):
    served.web["p1"].kill()
    served.gw.wait_state(lib.endpoint("p1"), "down", timeout=3)
    result = served.fetch(1000)
    assert result["errors"] == [] and "p1" not in result["answers"]
    row = served.gw.endpoints()[lib.endpoint("p1")]
    assert "refused" in row["reason"]
    served.web["p1"].start()
    served.gw.wait_state(lib.endpoint("p1"), "up", timeout=3)
    assert "p1" in served.fetch(1000)["answers"]


def test_a_host_that_drops_everything_is_out(served):
    load = Load(served.net)
    served.net.exec("p2", "nft", "add table inet t; add chain inet t c { type filter hook prerouting "
                    "priority 0; policy drop; }")
    served.gw.wait_state(lib.endpoint("p2"), "down", timeout=5)
    result = served.fetch(1000)
    assert result["errors"] == [] and "p2" not in result["answers"]
    assert "timeout" in served.gw.endpoints()[lib.endpoint("p2")]["reason"]
    load.stop()  # those caught by the drop may have failed


def test_tcp_checks_work_too(system):
    text = lib.manifest().replace("type: HTTP", "type: TCP") \
        .replace("http: {path: /healthz}", "tcp: {}")
    system.gw.apply(text)
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
    system.web["p3"].kill()
    system.gw.wait_state(lib.endpoint("p3"), "down", timeout=3)


def test_without_primaries_and_fallback_the_panic_threshold_zero_refuses(system):
    system.gw.apply(lib.manifest(fallbacks=(), panic=0))
    for host in ("p1", "p2", "p3"):
        system.gw.wait_state(lib.endpoint(host), "up")
        system.web[host].kill()
    for host in ("p1", "p2", "p3"):
        system.gw.wait_state(lib.endpoint(host), "down")
    before = system.gw.counters()["drop_no_endpoint"]
    result = system.fetch(5)
    assert len(result["errors"]) == 5
    assert all("ConnectionRefusedError" in error for error in result["errors"])
    assert result["seconds"] < 1  # told by an RST, not by the silence
    assert system.gw.counters()["drop_no_endpoint"] > before
    assert system.gw.counters()["reset_sent"] >= 5
