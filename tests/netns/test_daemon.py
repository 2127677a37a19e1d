# SPDX-License-Identifier: BSD-2-Clause
"""The daemon dies, returns, is replaced and is taken off; the packet path goes on meanwhile."""
import os
import signal

import pytest

import lib
from load import Connections, Load


@pytest.mark.parametrize("sig", (signal.SIGKILL, signal.SIGTERM))
def test_traffic_survives_the_daemons_end_and_return(served, sig):
    held = Connections(served.net, 40)
    load = Load(served.net)
    load6 = Load(served.net, vip=lib.VIP6)
    served.gw.kill(sig)
    result = served.fetch(2000)
    assert result["errors"] == [] and set(result["answers"]) == {"p1", "p2", "p3"}
    served.gw.start()
    assert held.use() == held.where
    assert served.fetch(1000)["errors"] == []
    for running in (load, load6):
        assert running.stop()["errors"] == []
    assert held.use() == held.where


def test_a_restart_knows_resources_words_and_counters(served):
    served.fetch(500)
    served.gw.ctl("set", "endpoint", lib.endpoint("p2"), "--state", "down")
    before = served.gw.endpoints()
    resources = served.gw.json("get", "backends,gateways,tcproutes")
    served.gw.kill()
    served.gw.start()
    after = served.gw.endpoints()
    for address, row in before.items():
        assert after[address]["totalFlows"] == row["totalFlows"]
        assert after[address]["admin"] == row["admin"]
    now = served.gw.json("get", "backends,gateways,tcproutes")
    for a, b in zip(resources["items"], now["items"]):
        assert a["spec"] == b["spec"] and a["metadata"] == b["metadata"]
    assert "p2" not in served.fetch(500)["answers"]


def test_health_changes_while_the_daemon_was_away_are_noticed(served):
    served.gw.kill()
    served.web["p1"].kill()
    served.gw.start()
    served.gw.wait_state(lib.endpoint("p1"), "down")
    result = served.fetch(1000)
    assert result["errors"] == [] and "p1" not in result["answers"]


def test_detach_leaves_nothing_behind(served):
    def host():
        return "\n".join(served.net.exec("gw", *cmd).stdout for cmd in (
            ("ip", "-d", "link"), ("ip", "addr"), ("ip", "neigh", "show", "nud", "permanent"),
            ("ip", "route", "show", "table", "all"), ("ip", "-6", "route", "show", "table", "all"),
            ("sysctl", "net.ipv4.conf.front.forwarding", "net.ipv6.conf.back.forwarding")))
    served.gw.kill(signal.SIGTERM)
    assert "xdp" in host() and lib.VIP4 in host() and lib.VIP6 in host()
    served.gw.detach()
    left = host()
    assert "xdp" not in left and lib.VIP4 not in left and lib.VIP6 not in left
    assert "forwarding = 1" not in left
    assert not os.path.exists(os.path.join(served.gw.bpffs, "maps", "flows"))
    served.gw.detach()  # once more is no error


def test_detach_refuses_while_the_daemon_runs(served):
    done = served.gw.detach(check=False)
    assert done.returncode == 1
    assert str(served.gw.process.pid) in done.stderr
    assert served.fetch(100)["errors"] == []


def test_a_second_instance_refuses_to_start(served):
    done = served.net.exec("gw", lib.SPILLWAYD, *served.gw.dirs, *served.gw.args, check=False,
                           timeout=20)
    assert done.returncode == 1
    assert str(served.gw.process.pid) in done.stderr
    assert served.fetch(200)["errors"] == []


def test_a_second_instance_with_other_directories_refuses_too(served):
    dirs = ["--run-dir", served.net.dir + "/r2", "--bpffs", served.net.dir + "/b2"]
    done = served.net.exec("gw", lib.SPILLWAYD, *dirs, "--state-dir", served.net.dir + "/s2",
                           "--interface", "back", check=False, timeout=20)
    assert done.returncode == 1
    assert str(served.gw.process.pid) in done.stderr
    done = served.net.exec("gw", lib.SPILLWAYD, "--detach", *dirs, check=False, timeout=20)
    assert done.returncode == 1
    assert str(served.gw.process.pid) in done.stderr
    local = served.net.exec("gw", "ip", "route", "show", "table", "local").stdout
    assert lib.VIP4 in local
    assert served.fetch(200)["errors"] == []


def test_frames_to_other_hosts_are_left_alone(served):
    """Promiscuous mode shows them: the gateway's neighbour answers, not the gateway."""
    net = served.net
    net.exec("gw", "ip", "link", "set", "front", "promisc", "on")
    net.exec("client", "ip", "neigh", "replace", "198.51.100.1", "lladdr", "02:00:00:00:00:99",
             "dev", "c0", "nud", "permanent")
    before = served.gw.counters()
    assert len(served.fetch(5, timeout=1)["errors"]) == 5
    after = served.gw.counters()
    assert after["flow_created"] == before["flow_created"]
    assert after["pass_not_ours"] >= before["pass_not_ours"] + 5


def test_an_interface_may_change_its_mac(served):
    net = served.net
    net.exec("gw", "ip", "link", "set", "front", "address", "02:00:00:00:00:42")
    net.exec("client", "ip", "neigh", "flush", "dev", "c0")
    lib.wait_for("requests by the new MAC",
                 lambda: served.fetch(20, timeout=1)["errors"] == [], timeout=10)


def test_a_link_that_comes_back_is_attached_again(served):
    net = served.net
    net.exec("gw", "ip", "link", "del", "front")
    lib.wait_for("front gone", lambda: not next(
        i for i in served.gw.json("status")["interfaces"] if i["name"] == "front")["attached"])
    net.veth("client", "c0", "gw", "front")
    net.addr("client", "c0", "198.51.100.2/24", "2001:db8:f::2/64")
    net.addr("gw", "front", "198.51.100.1/24", "2001:db8:f::1/64")
    net.exec("client", "ip", "route", "replace", "192.0.2.0/24", "via", "198.51.100.1")
    lib.wait_for("front attached", lambda: next(
        i for i in served.gw.json("status")["interfaces"] if i["name"] == "front")["attached"])
    assert served.fetch(500)["errors"] == []


def test_removing_the_links_pin_by_hand_does_not_stop_a_restart(served):
    served.gw.kill()
    os.unlink(os.path.join(served.gw.bpffs, "links", "front"))
    served.gw.start()
    assert served.fetch(500)["errors"] == []


@pytest.mark.parametrize("mode", ("native", "generic"))
def test_the_xdp_mode_is_as_asked(net, mode):
    gateway = lib.Gateway(net, args=("--xdp-mode", mode)).start()
    assert {i["mode"] for i in gateway.json("status")["interfaces"]} == {mode}
    text = net.exec("gw", "ip", "link", "show", "front").stdout
    assert ("xdpgeneric" in text) == (mode == "generic")


def failure(net, *args, dirs=None):
    """What a daemon that must not start says."""
    gateway = lib.Gateway(net)
    done = net.exec("gw", lib.SPILLWAYD, *(dirs or gateway.dirs), "--state-dir", gateway.state_dir,
                    *args, check=False, timeout=30)
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_failures_name_cause_and_remedy(net):
    assert "--interface" in failure(net)
    assert "sideways" in failure(net, "--interface", "front", "--xdp-mode", "sideways")
    assert "--source-address" in failure(net, "--interface", "front", "--source-address", "x.y")
    assert "--max-flows" in failure(net, "--interface", "front", "--max-flows", "-3")


def test_what_keeps_the_socket_from_opening_is_said_before_the_host_is_changed(net):
    assert "groupadd" in failure(net, "--interface", "front", "--socket-group", "no-such-group")
    assert "xdp" not in net.exec("gw", "ip", "link", "show", "front").stdout
    on = net.exec("gw", "sysctl", "-n", "net.ipv4.conf.front.forwarding").stdout
    assert on.strip() == "0"


def test_native_mode_that_cannot_be_had_is_refused_with_the_reason(net):
    net.exec("gw", "ip", "link", "add", "br0", "type", "bridge")
    text = failure(net, "--interface", "br0", "--xdp-mode", "native")
    assert "br0: its driver has no native XDP" in text and "--xdp-mode generic" in text


def test_a_missing_capability_is_named(net):
    gateway = lib.Gateway(net)
    done = net.exec("gw", "setpriv", "--bounding-set", "-bpf,-sys_admin,-net_admin", "--inh-caps",
                    "-bpf,-sys_admin,-net_admin", lib.SPILLWAYD, *gateway.dirs, *gateway.args,
                    check=False, timeout=30)
    assert done.returncode == 1
    assert "CAP_" in done.stderr


def test_another_layout_is_refused_with_the_remedy(served):
    served.gw.kill()
    meta = os.path.join(served.gw.bpffs, "maps", "meta")
    key = ["00", "00", "00", "00"]
    now = lib.run("bpftool", "-j", "map", "dump", "pinned", meta).stdout
    value = [b[2:] for b in lib.json.loads(now)[0]["value"]]
    value[4] = "ff"  # abi_version
    lib.run("bpftool", "map", "update", "pinned", meta, "key", "hex", *key, "value", "hex", *value)
    done = served.net.exec("gw", lib.SPILLWAYD, *served.gw.dirs, *served.gw.args, check=False,
                           timeout=30)
    assert done.returncode == 1
    assert "--detach" in done.stderr
    assert served.fetch(200)["errors"] == []  # the old data path goes on
