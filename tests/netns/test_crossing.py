# SPDX-License-Identifier: BSD-2-Clause
"""Requests on one CPU and their replies on the other: both work on the same flows at once, and not
one of two million packets is lost or goes astray. See crossing.c and blocks.c."""
import json
import os
import signal
import subprocess
import time

import pytest

import kernel
import lib
from blocks import BLOCKS, BROKEN, Talk
from test_traffic import UDP_ROUTE, VIPS

CROSSING = os.path.join(lib.BUILD, "tests", "netns", "crossing")
REQUESTS = {4: 1000000, 6: 200000}  # and as many replies


def cpus():
    """Two CPUs that the tests may use."""
    mine = sorted(os.sched_getaffinity(0))
    assert len(mine) > 1, "one CPU alone cannot cross another"
    return mine[0], mine[-1]


def by_cpu(gw, counter):
    """A counter of the packet path on each CPU."""
    index = [c["name"] for c in gw.json("stats")["counters"]].index(counter)
    rows = json.loads(lib.run("bpftool", "-j", "map", "dump", "pinned",
                              f"{gw.bpffs}/maps/stats").stdout)
    return {v["cpu"]: int.from_bytes(bytes(int(b, 16) for b in v["value"]), "little")
            for v in rows[index]["values"]}


def both_worked(gw, before, asking, serving):
    """Packets forwarded by each CPU since; each did what came from its own side."""
    after = by_cpu(gw, "forward_redirect")
    worked = after[asking] - before[asking], after[serving] - before[serving]
    print(f"forwarded by CPU {asking} and {serving}: {worked}")
    assert min(worked) > 0.4 * sum(worked)


def neighbours(net):
    """Addresses are resolved, so that the first packets wait for nobody."""
    for host, address in (("client", "198.51.100.1"), ("client", "2001:db8:f::1"),
                          ("p1", "203.0.113.1"), ("p1", "2001:db8:b::1")):
        net.exec(host, "ping", "-c", "1", "-W", "5", address)


class Losses:
    """What is counted as lost from now on, by the kernel and by the packet path."""

    def __init__(self, net, gw):
        self.net, self.gw = net, gw
        self.kernel, self.counters = kernel.losses(net), gw.counters()

    def risen(self):
        """Which of these counters have risen, shown too."""
        lost = kernel.risen(self.kernel, kernel.losses(self.net))
        lost.update({name: n for name, n in kernel.risen(self.counters,
                                                         self.gw.counters()).items()
                     if name.startswith(("drop_", "pass_no_", "reset_", "unreachable_"))})
        print(f"counters of losses that rose: {lost or 'none'}")
        return lost


@pytest.mark.parametrize("family", (4, 6))
def test_requests_and_replies_of_the_same_flows_on_different_cpus_all_arrive(net, family):
    asking, serving = cpus()
    requests = REQUESTS[family]
    gw = lib.Gateway(net).start()
    gw.apply(UDP_ROUTE)
    server = net.popen("p1", CROSSING, "serve", "7007", str(serving), stdout=subprocess.PIPE)
    lib.wait_for("the server", lambda: ":7007" in net.exec("p1", "ss", "-Hlun").stdout)
    neighbours(net)
    losses, before = Losses(net, gw), by_cpu(gw, "forward_redirect")
    began = time.monotonic()
    client = json.loads(net.exec("client", CROSSING, "ask", VIPS[family], "7", str(asking),
                                 str(requests), timeout=200).stdout)
    took = time.monotonic() - began
    server.send_signal(signal.SIGTERM)
    served = json.loads(server.communicate(timeout=10)[0])
    print(f"\n{2 * requests} packets of {client['flows']} flows in {took:.1f} s: client {client}, "
          f"server {served}")
    lost = losses.risen()
    assert (client["right"], client["wrong"], client["lost"]) == (requests, 0, 0)
    assert (served["right"], served["wrong"]) == (requests, 0)
    # The last ones opened may have had nothing to say yet.
    assert 1500 < served["flows"] <= client["flows"]
    assert (client["cpus"], served["cpus"]) == (1 << asking, 1 << serving)
    assert not lost
    both_worked(gw, before, asking, serving)
    row = gw.endpoints()[lib.endpoint("p1", family, 7007)]
    assert row["totalFlows"] == served["flows"]


def test_connections_whose_sides_are_on_different_cpus_lose_nothing(net):
    asking, serving = cpus()
    gw = lib.Gateway(net).start()
    gw.apply(lib.manifest(primaries=("p1",), fallbacks=(), check=False, families=(4,)))
    net.popen("p1", BLOCKS, "echo", "8080", str(serving))
    lib.wait_for("the server", lambda: ":8080" in net.exec("p1", "ss", "-Hltn").stdout)
    neighbours(net)
    losses, before = Losses(net, gw), by_cpu(gw, "forward_redirect")
    talk = Talk(net, asking, connections=200, every_ms=10)
    time.sleep(4)
    end, blocks = talk.stop(), sum(r["blocks"] for r in talk.reported)
    print(f"\n{blocks} blocks over {end['live']} connections")
    lost = losses.risen()
    assert end["live"] == 200 and not any(end[why] for why in BROKEN)
    assert blocks > 10000
    assert not lost
    both_worked(gw, before, asking, serving)
