# SPDX-License-Identifier: BSD-2-Clause
"""Clients on the gateway host itself, whose packets never meet XDP."""
import lib


def test_local_clients_reach_plain_endpoints_with_the_flag(net):
    for host in lib.SERVERS:
        lib.Web(net, host).start()
    gateway = lib.Gateway(net, args=["--local-clients"]).start()
    gateway.apply(lib.manifest())
    for host in lib.SERVERS:
        gateway.wait_state(lib.endpoint(host), "up")
    lib.wait_for("a server for local clients", lambda: not lib.fetch(
        net, lib.VIP4, 1, client="gw")["errors"])
    for vip in (lib.VIP4, lib.VIP6):
        result = lib.fetch(net, vip, 600, client="gw")
        assert result["errors"] == []
        assert set(result["answers"]) == {"p1", "p2", "p3"}  # the tiers hold here, too
        assert min(result["answers"].values()) > 100
    before = gateway.counters()["steered"]
    assert lib.fetch(net, lib.VIP4, 100)["errors"] == []
    assert gateway.counters()["steered"] == before  # others go by XDP as ever


def test_without_the_flag_local_clients_are_refused_at_once(net):
    lib.Web(net, "p1").start()
    gateway = lib.Gateway(net).start()
    gateway.apply(lib.manifest(primaries=["p1"], fallbacks=(), check=False))
    assert lib.fetch(net, lib.VIP4, 1)["errors"] == []
    done = net.exec("gw", "curl", "-s", "--max-time", "3", f"http://{lib.VIP4}/", check=False)
    assert done.returncode == 7
