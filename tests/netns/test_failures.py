# SPDX-License-Identifier: BSD-2-Clause
"""A server fails in one of four ways under a load and 1,000 open connections: it is out in time, the
event says why, and nobody else notices."""
import os
import signal
import time

import pytest

import lib
from load import Connections, Load

INTERVAL, TIMEOUT, THRESHOLD = 0.5, 0.4, 2
SLACK = 1.0  # of a busy machine


def at_once():
    """The next probe decides."""
    return INTERVAL + TIMEOUT


def counted():
    """THRESHOLD probes have to fail."""
    return INTERVAL * THRESHOLD + TIMEOUT


# what: how it is done, the reason, the time it may take, what its open connections become
FAILURES = {
    "answers 503": (lambda web: web.answer_with(503), "status 503", at_once()),
    "is killed": (lambda web: web.kill(), "connection refused", counted()),
    "drops all packets": (lambda web: web.drop_all(), "timeout", counted()),
    "accepts and never answers": (lambda web: web.process.send_signal(signal.SIGSTOP), "timeout",
                                  counted()),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_server_that_fails_is_out_in_time_and_nobody_else_notices(system, failure):
    act, reason, limit = FAILURES[failure]
    system.gw.apply(lib.manifest(interval="500ms", timeout="400ms"))
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
    held = Connections(system.net, 1000)
    load = Load(system.net, rate=100, timeout=3)
    time.sleep(1)
    failed = time.monotonic()
    act(system.web["p1"])
    event = system.gw.wait_event(kind="endpoint", subject=lib.endpoint("p1"), to="down")
    out = event["monotonicNs"] / 1e9
    time.sleep(1)
    result = load.stop()
    others = held.use(3, but="p1")
    later = system.fetch(500)
    if failure == "accepts and never answers":
        system.web["p1"].process.send_signal(signal.SIGCONT)
    in_window = [at for at in result["failed_at"] if failed - 0.1 <= at <= out + 0.05]
    print(f"{failure}: out after {out - failed:.2f} s of {limit:.2f}; of "
          f"{sum(result['answers'].values()) + len(result['errors'])} requests "
          f"{len(in_window)} failed, all begun before that")
    assert event["reason"] == reason
    assert out - failed <= limit + SLACK
    assert len(in_window) == len(result["failed_at"]), result["errors"]
    assert others == held.where
    assert later["errors"] == [] and "p1" not in later["answers"]


def test_the_tiers_change_is_an_event_with_its_sum(served):
    for host in ("p1", "p2"):
        served.web[host].answer_with(503)
        served.gw.wait_state(lib.endpoint(host), "down")
    last = lib.wait_for("tiers event", lambda: [
        e for e in served.gw.events(kind="tiers") if e["to"] == "46/54"])[-1]
    assert last["from"] in ("93/7", "100/0")
    assert "tier 0: 1 of 3 up" in last["reason"]
    assert "tier 0: 1/3 up × 1.4 = 46 %; tier 1 takes 54 %" in served.gw.ctl("endpoints", "web")


def test_events_and_states_outlive_the_daemon(served):
    served.web["p1"].answer_with(503)
    served.gw.wait_state(lib.endpoint("p1"), "down")
    before = served.gw.wait_event(subject=lib.endpoint("p1"), to="down")
    time.sleep(2.5)
    for sig in (signal.SIGKILL, signal.SIGTERM):
        served.gw.kill(sig)
        served.gw.start()
        row = served.gw.endpoints()[lib.endpoint("p1")]
        assert row["state"] == "down" and row["reason"] == "status 503"
        assert row["sinceSeconds"] >= 2  # since it went down, not since the restart
        after = served.gw.wait_event(subject=lib.endpoint("p1"), to="down")
        assert (after["seq"], after["time"]) == (before["seq"], before["time"])


def test_a_stale_state_is_not_trusted(served):
    served.web["p1"].answer_with(503)
    served.gw.wait_state(lib.endpoint("p1"), "down")
    time.sleep(1.5)
    served.gw.kill()
    os.utime(os.path.join(served.gw.run_dir, "health"), (time.time() - 600,) * 2)
    served.web["p1"].answer_with(200)
    served.gw.start()
    # one success is enough again, whatever the healthy threshold: nothing is known
    served.gw.wait_state(lib.endpoint("p1"), "up", timeout=3)


@pytest.mark.parametrize("hertz", (5,))
def test_an_endpoint_toggled_for_a_minute_disturbs_nobody(served, hertz):
    def resident():
        with open(f"/proc/{served.gw.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * 4096

    held = Connections(served.net, 60)
    load = Load(served.net, parallel=8)
    target, early = lib.endpoint("p2"), 0
    start, count = time.monotonic(), 0
    while time.monotonic() - start < 60:
        served.gw.ctl("set", "endpoint", target, "--state", "down")
        flows = served.gw.endpoints()[target]["totalFlows"]
        time.sleep(max(0, start + (count + 0.5) / hertz - time.monotonic()))
        assert served.gw.endpoints()[target]["totalFlows"] == flows
        served.gw.ctl("set", "endpoint", target, "--state", "auto")
        count += 1
        time.sleep(max(0, start + count / hertz - time.monotonic()))
        if count == 10 * hertz:
            early = resident()
    assert count >= 20 * hertz  # the machine kept up, more or less
    result = load.stop()
    assert result["errors"] == [] and result["answers"]["p2"] > 0
    assert held.use() == held.where
    print(f"{count} times; resident {early >> 10} KiB after 10 s, {resident() >> 10} KiB at the end")
    assert resident() < early * 1.1 + (2 << 20)
