# SPDX-License-Identifier: BSD-2-Clause
"""Drains, removals and resets: what becomes of the flows of an endpoint that goes."""
import time

import lib
from load import Connections, Load


def test_a_drain_waits_for_its_flows_and_says_how_many_are_left(served):
    held = Connections(served.net, 60)
    there = held.where.count("p1")
    address = lib.endpoint("p1")
    waiting = served.net.popen("gw", lib.SPILLWAY, "--socket", served.gw.socket, "drain", "endpoint",
                               address, "--wait", stdout=lib.subprocess.PIPE)
    served.gw.wait_state(address, "draining")
    row = served.gw.json("drain")["drains"][0]
    assert row["address"] == address and row["activeFlows"] == there and row["then"] == "leave"
    assert len(row["longest"]) == min(10, there)
    assert "p1" not in served.fetch(300)["answers"]
    assert held.use() == held.where
    assert waiting.poll() is None
    held.close_all("p1")
    out, _ = waiting.communicate(timeout=20)
    assert waiting.returncode == 0 and b"done" in out, out
    served.gw.ctl("set", "endpoint", address, "--state", "auto")
    assert served.gw.json("drain")["drains"] == []
    assert served.fetch(600)["answers"]["p1"] > 100


def test_at_the_deadline_the_flows_left_are_reset_and_no_others(served):
    held = Connections(served.net, 60)
    address = lib.endpoint("p2")
    served.gw.ctl("drain", "endpoint", address, "--deadline", "2s", "--then", "reset")
    assert held.use() == held.where
    lib.wait_for("deadline", lambda: served.gw.events(kind="drain", subject=address, to="deadline"))
    began = time.monotonic()
    after = held.use(4)
    assert time.monotonic() - began < 3  # told by an RST, not by the silence
    assert after == [None if server == "p2" else server for server in held.where]
    lib.wait_for("flows gone", lambda: served.gw.endpoints()[address]["activeFlows"] == 0)
    lib.wait_for("server told", lambda: not served.net.exec(
        "p2", "ss", "-Htn", "state", "established", "sport = :8080").stdout.count("203.0.113.1:"),
                 timeout=90)


def test_a_drain_outlives_the_daemon(served):
    held = Connections(served.net, 30)
    address = lib.endpoint("p1")
    served.gw.ctl("drain", "endpoint", address, "--deadline", "4s", "--then", "reset")
    served.gw.kill()
    served.gw.start()
    assert served.gw.endpoints()[address]["state"] == "draining"
    assert held.use() == held.where
    lib.wait_for("deadline", lambda: served.gw.events(kind="drain", subject=address, to="deadline"))
    assert held.use(4) == [None if server == "p1" else server for server in held.where]


def test_a_whole_backend_is_drained(served):
    out = served.gw.ctl("drain", "backend", "web")
    for host in ("p1", "p2", "p3"):
        assert lib.endpoint(host) in out
    answers = served.fetch(300)
    assert answers["errors"] == [] and set(answers["answers"]) == {"f1", "f2"}


def removal(policy):
    """The standard manifest with a policy for flows of removed endpoints."""
    return lib.manifest().replace("metadata: {name: web}\nspec:\n  endpoints", (
        f"metadata: {{name: web, annotations: {{'spillway.dev/on-removal': {policy}}}}}\n"
        "spec:\n  endpoints"))


def test_tcp_flows_of_a_removed_endpoint_are_left_or_reset(system):
    for policy in ("leave", "reset"):
        text = removal(policy)
        system.gw.apply(text)
        for host in lib.SERVERS:
            system.gw.wait_state(lib.endpoint(host), "up")
        held = Connections(system.net, 60)
        assert "p3" in held.where
        less = "\n".join(row for row in text.split("\n")
                         if lib.addr4("p3") not in row and lib.addr6("p3") not in row)
        system.gw.apply(less)
        want = held.where if policy == "leave" else [
            None if server == "p3" else server for server in held.where]
        assert held.use(4) == want


def test_who_comes_back_after_a_restart_has_its_flows_again(system):
    text = removal("leave")
    system.gw.apply(text)
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
    held = Connections(system.net, 60)
    there = held.where.count("p3")
    assert there > 0
    system.gw.apply("\n".join(row for row in text.split("\n")
                              if lib.addr4("p3") not in row and lib.addr6("p3") not in row))
    system.gw.kill()
    system.gw.start()
    system.gw.apply(text)
    assert system.gw.endpoints()[lib.endpoint("p3")]["activeFlows"] == there
    assert held.use() == held.where


def test_an_endpoint_is_set_down_without_a_daemon_and_the_next_one_adopts_it(served):
    held = Connections(served.net, 60)
    load = Load(served.net)
    served.gw.kill()
    address = lib.endpoint("p1")
    done = lib.run(lib.SPILLWAY, "--socket", served.gw.socket, "set", "endpoint", address, "--state",
                   "down", "--bpffs", served.gw.bpffs)
    assert "no daemon" in done.stdout + done.stderr
    assert "p1" not in served.fetch(1000)["answers"]
    served.gw.start()
    row = served.gw.endpoints()[address]
    assert row["state"] == "down" and row["admin"] == "down"
    served.gw.kill()
    done = lib.run(lib.SPILLWAY, "--socket", served.gw.socket, "set", "endpoint", address,
                   "--state", "auto", "--bpffs", served.gw.bpffs)
    assert "the next one adopts it and gives the endpoint its share" in done.stdout
    served.gw.start()
    assert served.gw.endpoints()[address]["admin"] == "auto"
    lib.wait_for("p1 again", lambda: "p1" in served.fetch(300)["answers"])
    assert load.stop()["errors"] == []
    assert held.use() == held.where


def test_a_client_that_waits_for_an_answer_is_told_of_a_reset(system):
    text = removal("reset")
    system.gw.apply(text)
    for host in lib.SERVERS:
        system.gw.wait_state(lib.endpoint(host), "up")
    waiting = Load(system.net, rate=60, path="/slow/2", timeout=15)
    time.sleep(1)
    system.gw.apply("\n".join(row for row in text.split("\n")
                              if lib.addr4("p3") not in row and lib.addr6("p3") not in row))
    time.sleep(0.5)
    result = waiting.stop()
    assert 5 < len(result["errors"]) < 60
    assert all("ConnectionResetError" in error for error in result["errors"]), result["errors"]
    assert result["seconds"] < 8  # nobody waited for the timeout
