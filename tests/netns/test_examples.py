# SPDX-License-Identifier: BSD-2-Clause
"""The examples do what their comments and docs/failover.md say, as they are."""
import os

import lib

EXAMPLES = os.path.join(lib.ROOT, "examples")
VIP = "192.0.2.20"


def test_every_example_is_valid_and_leaves_no_problem(system):
    lib.run(lib.SPILLWAY, "validate", "-R", "-f", EXAMPLES)
    system.gw.ctl("apply", "-R", "-f", EXAMPLES)
    assert system.gw.json("status")["problems"] == []


def test_the_failover_example_goes_down_three_tiers_and_comes_back(system):
    gw, web = system.gw, system.web

    def loads(expected):
        """Waits until the tiers carry this."""
        lib.wait_for(f"tiers {expected}", lambda: [
            t["loadPercent"] for t in gw.json("endpoints", "shop")["services"][0]["tiers"]
        ] == expected)

    gw.ctl("apply", "-f", os.path.join(EXAMPLES, "failover"))
    for host in lib.SERVERS:
        gw.wait_state(lib.endpoint(host), "starting")
    loads([100, 0, 0])
    web["p1"].kill()
    loads([93, 7, 0])
    assert gw.wait_event(kind="endpoint", to="down")["reason"] == "connection refused"
    web["p2"].kill()
    web["p3"].drop_all()
    loads([0, 100, 0])
    assert set(system.fetch(100, VIP)["answers"]) == {"f1"}
    web["f1"].answer_with(500)  # not in retriableStatuses: out at once
    loads([0, 0, 100])
    assert set(system.fetch(100, VIP)["answers"]) == {"f2"}
    web["f2"].kill()
    lib.wait_for("nobody left", lambda: gw.json("endpoints", "shop")["services"][0]["empty"])
    assert ("no endpoint may be picked: new flows get ICMP unreachable"
            in gw.ctl("endpoints", "shop"))
    failed = system.fetch(10, VIP)
    assert len(failed["errors"]) == 10 and all("Errno 113" in e for e in failed["errors"])
    web["p1"].start()
    loads([100, 0, 0])  # all that is left: what it can carry is scaled up
    assert set(system.fetch(100, VIP)["answers"]) == {"p1"}
    tiers = [e["to"] for e in gw.events(kind="tiers")]
    assert (tiers[0], tiers[-1]) == ("93/7/0", "100/0/0") and "0/100/0" in tiers
