# SPDX-License-Identifier: BSD-2-Clause
"""The control tool against a running daemon."""
import os
import re
import signal
import subprocess
import time

import lib


def test_get_describe_and_delete_speak_as_kubectl(served):
    gw = served.gw
    table = gw.ctl("get", "backends").split("\n")
    assert table[0].split() == ["NAME", "STATUS", "AGE"]
    assert table[1].split()[:2] == ["web", "Accepted"]
    assert gw.ctl("get", "be", "web", "-o", "name").strip() == "backend.gateway.envoyproxy.io/web"
    assert "  type: Endpoints" in gw.ctl("get", "backend", "web", "-o", "yaml")
    text = gw.ctl("describe", "backend", "web")
    assert "API Version:  gateway.envoyproxy.io/v1alpha1" in text
    assert re.search(r"203\.0\.113\.11:8080 +default/\S+ +xdp: mode nat ", text)
    port = "{.spec.endpoints[?(@.ip.address==\"203.0.113.11\")].ip.port}"
    assert gw.ctl("get", "be", "web", "-o", "jsonpath=" + port) == "8080"
    assert gw.ctl("get", "be", "--field-selector", "metadata.name=web", "-o",
                  "custom-columns=N:.metadata.name", "--no-headers") == "web\n"
    missing = lib.run(lib.SPILLWAY, "--socket", gw.socket, "get", "backend", "nope", check=False)
    assert missing.returncode == 1
    assert missing.stderr.strip() == ('Error from server (NotFound): '
                                      'backends.gateway.envoyproxy.io "nope" not found')
    none = lib.run(lib.SPILLWAY, "--socket", gw.socket, "-n", "empty", "get", "backends")
    assert none.stderr.strip() == "No resources found in empty namespace."


def test_endpoints_stats_flows_and_status_tell_the_truth(served):
    served.fetch(100)
    text = served.gw.ctl("endpoints", "web")
    assert "tier 0: 3/3 up" in text and "203.0.113.11:8080" in text
    counters = served.gw.counters()
    assert counters["flow_created"] == 100
    assert "drop_no_endpoint" in counters
    status = served.gw.json("status")
    assert status["interfaces"][0]["mode"] == "native"
    assert {v["address"] for v in status["vips"]} == {lib.VIP4, lib.VIP6}
    assert all(v["problem"] is None for v in status["vips"])
    flows = served.gw.json("flows")
    assert flows["count"] == 100
    assert {f["vip"] for f in flows["flows"]} == {f"{lib.VIP4}:80"}


def test_projects_are_apart(system):
    gw = system.gw
    gw.apply(lib.manifest())
    gw.ctl("--project", "other", "apply", "-f", "-", stdin="""
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: web}
spec: {endpoints: [{ip: {address: 203.0.113.99, port: 1}}]}
""")
    assert len(gw.json("get", "backends")["items"]) == 2
    other = gw.json("--project", "other", "get", "backends")["items"]
    assert [b["spec"]["endpoints"][0]["ip"]["address"] for b in other] == ["203.0.113.99"]


def test_only_root_and_the_group_may_connect(served):
    done = lib.run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                   lib.SPILLWAY, "--socket", served.gw.socket, "status", check=False)
    assert done.returncode == 1
    assert "error:" in done.stderr.lower()


def test_without_a_daemon_the_tool_says_so(tmp_path):
    done = lib.run(lib.SPILLWAY, "--socket", str(tmp_path / "no.sock"), "get", "backends",
                   check=False)
    assert done.returncode == 1
    assert "cannot reach spillwayd" in done.stderr


def test_the_values_of_a_secret_stay_in_the_store(served):
    gw = served.gw
    gw.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: own}\nstringData: {a: hunter2}\n")
    for words in (("get", "secret", "own", "-o", "yaml"), ("get", "secrets", "-o", "json"),
                  ("get", "secrets"), ("describe", "secret", "own")):
        said = gw.ctl(*words)
        assert "hunter2" not in said and "aHVudGVyMg" not in said
    assert "a: '*** 7 bytes ***'" in gw.ctl("get", "secret", "own", "-o", "yaml")
    assert "hunter2" not in gw.log()
    stores = [name for name in os.listdir(gw.state_dir) if name.startswith("spillway.db")]
    assert stores
    for name in stores:  # the journal beside it, too
        assert os.stat(os.path.join(gw.state_dir, name)).st_mode & 0o077 == 0, name


def watched(gw, *words):
    """`get -w` in the background."""
    return subprocess.Popen([lib.SPILLWAY, "--socket", gw.socket, "get", *words, "-w"],
                            stdout=subprocess.PIPE, text=True)


def end(watch):
    """Interrupts it; what it still printed."""
    time.sleep(1)
    watch.send_signal(signal.SIGINT)
    out, _ = watch.communicate(timeout=10)
    assert watch.returncode == 0
    return out


def test_a_watch_shows_changes_and_conditions_within_a_second(served):
    gw = served.gw
    rows = watched(gw, "be", "-l", "who=watched", "--show-labels", "--no-headers")
    refs = watched(gw, "tcproutes", "-o", "jsonpath={.metadata.name} {.status.parents[*]."
                   "conditions[?(@.type==\"ResolvedRefs\")].status}{\"\\n\"}")
    assert refs.stdout.readline().startswith("web True")
    backend = ("apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
               "metadata: {name: extra, labels: {who: watched, step: \"%d\"}}\n"
               "spec: {endpoints: [{ip: {address: 203.0.113.99, port: 80}}]}\n")
    began = time.monotonic()
    for step in (1, 2):
        gw.apply(backend % step)
        assert f"step={step},who=watched" in rows.stdout.readline()
    gw.ctl("delete", "be", "extra")
    assert "step=2,who=watched" in rows.stdout.readline()
    gw.ctl("delete", "be", "web")
    assert refs.stdout.readline().startswith("web False")
    assert time.monotonic() - began < 8
    assert end(rows) == "" and end(refs) == ""
