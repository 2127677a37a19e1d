# SPDX-License-Identifier: BSD-2-Clause
"""Transcripts of the tool against a fake daemon: what it prints and how it ends, to the byte.

A transcript is a *.txt file: a line `$ spillway ARGUMENTS`, its standard output, its standard error
with `! ` in front, and `[exit N]` unless N is 0. The commands of a file run in order against one
daemon, in manifests/. UPDATE_GOLDEN=1 writes what is printed now into the files.
"""
import fcntl
import glob
import http.server
import json
import os
import pty
import re
import shlex
import signal
import socket as socket_module
import subprocess
import threading
import time

import pytest

import fake_daemon

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SPILLWAY = os.path.join(os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build")), "spillway")
MANIFESTS = os.path.join(HERE, "manifests")
DIFF_TIME = re.compile(r"\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}$", re.MULTILINE)
DIFF_DIR = re.compile(r"/tmp/(LIVE|MERGED)-\w{6}/")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def run(socket, *args, stdin=None, **variables):
    """Runs the tool in manifests/."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("SPILLWAY_", "DATUM_", "KUBECTL_"))}
    return subprocess.run([SPILLWAY, *args], cwd=MANIFESTS, capture_output=True, text=True,
                          input=stdin, env=dict(env, SPILLWAY_SOCKET=socket, **variables),
                          timeout=30, check=False)


def transcript_of(socket, commands):
    """Runs the commands; returns the transcript."""
    lines = []
    for command in commands:
        words = shlex.split(command)[1:]
        done = run(socket, *words, stdin="")
        lines.append("$ " + command)
        lines += done.stdout.splitlines()
        lines += ["! " + line for line in done.stderr.splitlines()]
        if done.returncode:
            lines.append(f"[exit {done.returncode}]")
        lines.append("")
    text = "\n".join(lines).replace(socket, "SOCKET")
    text = DIFF_TIME.sub("\tTIME", DIFF_DIR.sub(r"/tmp/\1-N/", text))
    return TIME.sub(r"2026-01-02T03:04:05\1Z", text)


@pytest.mark.parametrize("path", sorted(glob.glob(os.path.join(HERE, "*.txt"))),
                         ids=os.path.basename)
def test_the_tool_prints_the_transcript(path, tmp_path):
    with open(path, encoding="utf8") as file:
        want = file.read()
    commands = [line[2:] for line in want.splitlines() if line.startswith("$ spillway")]
    assert commands
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        got = transcript_of(socket, commands)
    if os.environ.get("UPDATE_GOLDEN"):
        with open(path, "w", encoding="utf8") as file:
            file.write(got)
    assert got == want


def test_standard_input_is_read(tmp_path):
    with open(os.path.join(MANIFESTS, "web.yaml"), encoding="utf8") as file:
        text = file.read()
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        done = run(socket, "apply", "-f", "-", stdin=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "backend.gateway.envoyproxy.io/web created"


def test_a_mistake_anywhere_sends_nothing(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        done = run(socket, "apply", "-f", "web.yaml", "-f", "mistakes.yaml")
        assert server.daemon.requests == []
    assert done.returncode == 1 and done.stdout == ""


def test_the_project_is_in_every_path(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        run(socket, "--project", "a-b", "apply", "-f", "web.yaml")
        run(socket, "get", "be", "--project=a-b")
        paths = [target for _, target, _ in server.daemon.requests]
    assert len(paths) == 2
    assert all(p.startswith("/projects/a-b/control-plane/apis/") for p in paths)


def test_a_name_cannot_leave_its_path(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        run(socket, "get", "be", "..?x#y")
        assert run(socket, "-n", "a/../b", "get", "be", "..").returncode == 1
        assert run(socket, "--project", "..", "get", "be").returncode == 1
        paths = [target for _, target, _ in server.daemon.requests]
    assert len(paths) == 1
    assert paths[0].endswith("/namespaces/default/backends/..%3Fx%23y")


def test_an_unreachable_daemon_is_named_with_the_remedy(tmp_path):
    socket = str(tmp_path / "no.sock")
    done = run(socket, "get", "be")
    assert done.returncode == 1
    assert done.stderr == (f"error: cannot reach spillwayd at {socket}: No such file or directory; "
                           "is it running? (systemctl status spillwayd)\n")


def test_a_dead_socket_is_named_with_the_remedy(tmp_path):
    path = str(tmp_path / "sock")
    fake_daemon.Server(path).server_close()
    done = run(path, "status")
    assert done.returncode == 1
    assert f"cannot reach spillwayd at {path}: Connection refused; is it running?" in done.stderr


FULL = fake_daemon.status(507, "InsufficientStorage", "1200 services; raise --max-services")


@pytest.mark.parametrize("broken, said", [
    ((507, FULL), "Error from server (InsufficientStorage): 1200 services; raise --max-services"),
    ((500, "oops"), "Error from server: HTTP status 500: oops"),
    ((500, ""), "Error from server: HTTP status 500"),
    ((200, "<html>"), "Error from server: HTTP status 200: <html>"),
    ((404, '{"message": "gone"}'), "Error from server: gone"),
])
@pytest.mark.parametrize("command", ["apply -f web.yaml", "get be", "endpoints", "stats", "status",
                                     "set endpoint 10.0.0.1 --state up", "delete be web",
                                     "events", "events -w", "get be -w", "drain", "drain backend web --wait"])
def test_whatever_the_daemon_answers_is_said_and_fails(tmp_path, command, broken, said):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        server.daemon.broken = broken
        done = run(socket, *command.split())
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said + "\n")


def test_the_version_is_told_without_a_daemon(tmp_path):
    done = run(str(tmp_path / "no.sock"), "version")
    assert done.returncode == 0
    assert done.stdout.startswith("Client Version: v")
    assert "cannot reach spillwayd" in done.stderr


def test_output_that_cannot_be_written_is_a_failure(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket), open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([SPILLWAY, "--socket", socket, "stats"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "cannot write to standard output: No space left on device" in done.stderr


@pytest.mark.parametrize("verb", ["apply", "validate", "get", "describe", "delete", "endpoints",
                                  "set", "drain", "events", "stats", "flows", "status", "version",
                                  "help", "create", "diff", "expose", "explain",
                                  "api-resources", "api-versions"])
def test_every_verb_has_help(verb):
    done = run("/nowhere", verb, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "\nUsage:\n  spillway " + verb in done.stdout
    assert run("/nowhere", "help", verb).stdout == done.stdout


class Watch:
    """The tool in the background: its lines as they come."""

    def __init__(self, socket, *args):
        env = {k: v for k, v in os.environ.items() if not k.startswith("SPILLWAY_")}
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            # a runner in the background may have had it ignored, which children inherit
            ["env", "--default-signal=INT", SPILLWAY, "--socket", socket, *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def line(self):
        """The next line."""
        return self.process.stdout.readline().rstrip("\n")

    def end(self, how=signal.SIGINT):
        """Ends it: (exit code, the rest of standard error)."""
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=10)
        return self.process.returncode, err


def test_a_watch_shows_what_was_and_what_comes_until_interrupted(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        watch = Watch(socket, "events", "-w", "--limit", "1", "-o", "wide")
        assert watch.line().split() == ["SEQ", "TIME", "KIND", "SUBJECT", "BACKEND", "CHANGE",
                                        "REASON"]
        assert watch.line().split()[0] == "6"
        server.daemon.happen("endpoint", "10.0.0.3:80", "default/web", "down", "up", "status 200")
        row = watch.line()
        assert row.split()[0] == "7" and row.split()[2:] == [
            "endpoint", "10.0.0.3:80", "default/web", "down", "->", "up", "status", "200"]
        time.sleep(0.5)
        assert watch.end() == (0, "")
        since = [t for _, t, _ in server.daemon.requests][-1]
    assert "since=7&" in since


def test_a_watch_outlives_the_daemon_and_says_so_once(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        watch = Watch(socket, "events", "-w", "--since", "5", "-o", "json")
        assert json.loads(watch.line())["seq"] == 6
    os.unlink(socket)
    time.sleep(1)
    with fake_daemon.Server(socket) as server:
        server.daemon.happen("operator", "10.0.0.9:80", "", "auto", "down", "")
        assert json.loads(watch.line())["subject"] == "10.0.0.9:80"
        time.sleep(0.5)
        code, err = watch.end(signal.SIGTERM)
    assert code == 0
    assert err.count("the daemon is away") == 1 and err.endswith("The daemon is back\n")


def test_a_watch_tells_of_lost_events_and_begins_anew_with_a_new_store(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        watch = Watch(socket, "events", "-w", "--limit", "1", "-o", "json")
        assert json.loads(watch.line())["seq"] == 6
        for number in range(20):
            server.daemon.events.append(dict(server.daemon.events[0], seq=107 + number))
        del server.daemon.events[:6]
        assert json.loads(watch.line())["seq"] == 107
        server.daemon.events[:] = [dict(server.daemon.events[0], seq=1)]
        seqs = [json.loads(watch.line())["seq"] for _ in range(20)]
        assert seqs[-1] == 1
        assert watch.end() == (0, "warning: 100 events came and went unseen\n")


def change(server, name, **spec):
    """A Backend of the fake changes behind the tool's back."""
    key = ("default", "backends", "default", name)
    old = server.daemon.objects.get(key)
    obj = {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend", "spec": spec,
           "metadata": {"name": name, "namespace": "default", "labels": {"app": name}}}
    server.daemon.objects[key] = server.daemon.stored(obj, old)
    return obj


def test_a_watch_of_objects_shows_what_is_created_changed_and_deleted(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        change(server, "web", type="Endpoints")
        watch = Watch(socket, "get", "be", "-w")
        assert watch.line() == "NAME   STATUS     AGE"
        assert watch.line() == "web    Accepted   5h30m"
        change(server, "a-longer-name", type="Endpoints")
        assert watch.line() == "a-longer-name   Accepted   5h30m"
        server.daemon.objects[("default", "backends", "default", "web")]["status"] = {
            "conditions": [{"type": "Accepted", "status": "False", "reason": "Invalid"}]}
        assert watch.line() == "web             Invalid    5h30m"
        del server.daemon.objects[("default", "backends", "default", "web")]
        assert watch.line() == "web             Invalid    5h30m"
        time.sleep(1)
        assert watch.end() == (0, "")


def test_a_watch_of_one_object_or_a_selection_shows_no_other(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        change(server, "web", type="Endpoints")
        named = Watch(socket, "get", "be", "web", "--watch-only", "-o", "name")
        chosen = Watch(socket, "get", "be", "-l", "app=web", "--watch-only", "--no-headers")
        time.sleep(1)
        change(server, "api", type="Endpoints")
        change(server, "web", type="Endpoints", fallback=True)
        assert named.line() == "backend.gateway.envoyproxy.io/web"
        assert chosen.line() == "web   Accepted   5h30m"
        time.sleep(0.6)
        assert named.end() == (0, "") and chosen.end(signal.SIGTERM) == (0, "")


@pytest.mark.parametrize("form, begins, ends", [
    ("yaml", "---", "    type: Accepted"),
    ("jsonpath={.metadata.name}{\"\\n\"}", "web", "web"),
    ("custom-columns=A:.metadata.name", "A", "web"),
])
def test_a_watch_of_objects_has_every_form(tmp_path, form, begins, ends):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        change(server, "web", type="Endpoints")
        watch = Watch(socket, "get", "be", "-w", "-o", form)
        line = watch.line()
        assert line == begins
        while line != ends:
            line = watch.line()
        assert watch.end() == (0, "")


def test_a_watch_of_objects_outlives_the_daemon(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        change(server, "web", type="Endpoints")
        watch = Watch(socket, "get", "be", "-w", "-o", "name")
        assert watch.line() == "backend.gateway.envoyproxy.io/web"
        objects = server.daemon.objects
    os.unlink(socket)
    time.sleep(1)
    with fake_daemon.Server(socket) as server:
        server.daemon.objects = objects
        time.sleep(1)
        change(server, "api", type="Endpoints")
        assert watch.line() == "backend.gateway.envoyproxy.io/api"
        code, err = watch.end()
    assert code == 0
    assert err.count("the daemon is away") == 1 and err.endswith("The daemon is back\n")


def test_a_watch_ends_when_its_reader_goes(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        watch = Watch(socket, "events", "-w")
        watch.line()
        watch.process.stdout.close()
        watch.process.wait(timeout=5)
        assert watch.process.stderr.read() == ""
        watch.process.stderr.close()


def test_more_events_than_a_page_are_all_shown(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        first = server.daemon.events[0]
        server.daemon.events = [dict(first, seq=10 + n) for n in range(2345)]
        rows = json.loads(run(socket, "events", "-o", "json").stdout)["events"]
    assert [e["seq"] for e in rows] == list(range(10, 2355))


def test_a_part_of_a_second_is_not_no_deadline(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        run(socket, "drain", "backend", "web", "--deadline", "1m500ms", "--then", "reset")
        run(socket, "drain", "endpoint", "10.0.0.1", "--deadline", "1ms")
        run(socket, "drain", "endpoint", "10.0.0.1:80")
        bodies = [body for _, _, body in server.daemon.requests]
    assert bodies == [{"backend": "default/web", "deadlineSeconds": 61, "then": "reset"},
                      {"address": "10.0.0.1", "deadlineSeconds": 1, "then": "leave"},
                      {"address": "10.0.0.1:80", "deadlineSeconds": 0, "then": "leave"}]


def test_a_wait_ends_with_the_last_flow(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        server.daemon.ends_per_look = 20
        done = run(socket, "drain", "endpoint", "10.0.0.1", "10.0.0.3:81", "--wait")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "endpoint 10.0.0.1:80 draining (was auto), 37 flows",
        "endpoint 10.0.0.3:81 draining (was auto), 37 flows",
        "2 of 2 endpoints drain, 74 of 74 flows left, about 2m10s",
        "endpoint 10.0.0.1:80 done: no flows left",
        "endpoint 10.0.0.3:81 done: no flows left"]


def test_a_wait_ends_with_the_deadline(tmp_path):
    socket = str(tmp_path / "sock")
    for policy, fate in (("leave", "left to end"), ("reset", "reset at their next packet")):
        with fake_daemon.Server(socket) as server:
            watch = Watch(socket, "drain", "endpoint", "10.0.0.1", "--deadline", "10m", "--then",
                          policy, "--wait")
            watch.line()
            assert watch.line().endswith(
                f"37 of 37 flows left, about 2m10s; deadline in 10m, then {policy}")
            server.daemon.drains[0].update(state="deadline", deadlineSecondsLeft=0)
            assert watch.line() == f"endpoint 10.0.0.1:80 deadline: 37 flows left are {fate}"
            assert watch.process.wait(timeout=10) == 0
        os.unlink(socket)


def test_a_wait_ends_when_another_word_is_given(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        watch = Watch(socket, "drain", "endpoint", "10.0.0.1", "--wait")
        watch.line()
        watch.line()
        run(socket, "set", "endpoint", "10.0.0.1", "--state", "auto")
        assert watch.process.wait(timeout=10) == 1
        assert "endpoint 10.0.0.1:80 does not drain any more" in watch.process.stderr.read()


def test_a_wait_outlives_the_daemon(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        watch = Watch(socket, "drain", "endpoint", "10.0.0.1", "--wait")
        watch.line()
        watch.line()
        drains = server.daemon.drains
    os.unlink(socket)
    time.sleep(1)
    with fake_daemon.Server(socket) as server:
        server.daemon.drains = [dict(drains[0], state="done", activeFlows=0)]
        assert watch.line() == "endpoint 10.0.0.1:80 done: no flows left"
        assert watch.process.wait(timeout=10) == 0


def test_an_interrupted_wait_says_that_the_drain_goes_on(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        watch = Watch(socket, "drain", "endpoint", "10.0.0.1", "--wait")
        watch.line()
        watch.line()
        code, err = watch.end()
    assert code == 1 and "the drain goes on" in err


def test_a_terminal_has_one_line_that_is_rewritten(tmp_path):
    socket = str(tmp_path / "sock")
    ours, theirs = pty.openpty()
    with fake_daemon.Server(socket) as server:
        server.daemon.ends_per_look = 20
        done = subprocess.run([SPILLWAY, "--socket", socket, "drain", "endpoint", "10.0.0.1",
                               "--wait"], stdout=theirs, timeout=30, check=False)
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "\r\033[K37 of 37 flows left, about 2m10s\r\033[K17 of 37 flows left" in text
    assert text.endswith("\r\033[Kendpoint 10.0.0.1:80 done: no flows left\r\n")


def test_the_outcome_of_a_wait_is_a_tree_too(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        server.daemon.ends_per_look = 50
        done = run(socket, "drain", "backend", "web", "--wait", "-o", "json")
    assert done.returncode == 0
    assert [(d["address"], d["state"]) for d in json.loads(done.stdout)["drains"]] == [
        ("10.0.0.1:80", "done"), ("10.0.0.2:80", "done")]


def test_without_a_daemon_and_without_pins_a_word_is_refused(tmp_path):
    socket = str(tmp_path / "no.sock")
    done = run(socket, "set", "endpoint", "10.0.0.1:80", "--state", "down", "--bpffs",
               str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"cannot reach spillwayd at {socket}: No such file or directory" in done.stderr
    assert f"nor can the packet path be written: {tmp_path}" in done.stderr


def test_maps_that_a_daemon_has_are_not_written_behind_its_back(tmp_path):
    socket = str(tmp_path / "no.sock")
    pins = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(pins, fcntl.LOCK_EX)
    done = run(socket, "set", "endpoint", "10.0.0.1:80", "--state", "down", "--bpffs",
               str(tmp_path))
    os.close(pins)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"error: nothing answers at {socket}, but a daemon has the maps in "
                           f"{tmp_path}: it is starting, or listens elsewhere (--socket)\n")


def test_the_project_comes_from_flags_and_then_from_the_environment(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        run(socket, "get", "be", DATUM_PROJECT="env")
        run(socket, "--project", "flag", "get", "be", DATUM_PROJECT="env", DATUM_ORGANIZATION="o")
        run(socket, "get", "be", DATUM_PROJECT="")
        both = run(socket, "get", "be", DATUM_PROJECT="env", DATUM_ORGANIZATION="o")
        organization = run(socket, "get", "be", DATUM_ORGANIZATION="o")
        said = [run(socket, verb, DATUM_PROJECT="env").stdout for verb in ("status", "version")]
        paths = [target for _, target, _ in server.daemon.requests]
    assert [path.split("/control-plane")[0] for path in paths[:2]] == ["/projects/env",
                                                                      "/projects/flag"]
    assert paths[2].startswith("/apis/")
    assert both.stderr == "error: DATUM_PROJECT and DATUM_ORGANIZATION cannot both be set\n"
    assert organization.returncode == 1 and "has projects and no organizations" in organization.stderr
    assert "project env" in said[0] and "Project: env" in said[1]


@pytest.fixture(name="differ")
def fixture_differ(tmp_path):
    """A differ that says what it was given."""
    path = tmp_path / "differ"
    path.write_text('#!/bin/sh\necho "args: $*"\nls "$1" "$2"\nexit "${DIFFER_EXIT:-0}"\n')
    path.chmod(0o755)
    return str(path)


def test_a_differ_is_read_from_the_environment_as_kubectl_does(tmp_path, differ):
    socket = str(tmp_path / "sock")
    words = " -a --b=c  /etc/passwd ;rm -x"
    with fake_daemon.Server(socket):
        for variables in ({"KUBECTL_EXTERNAL_DIFF": differ + words},
                          {"SPILLWAY_EXTERNAL_DIFF": differ + words,
                           "KUBECTL_EXTERNAL_DIFF": "/nonexistent"}):
            done = run(socket, "diff", "-f", "texts.yaml", TMPDIR=str(tmp_path), **variables)
            args = done.stdout.splitlines()[0].split()
            assert (done.returncode, args[3:]) == (0, ["-a", "--b=c", "-x"])
            assert re.fullmatch(re.escape(str(tmp_path)) + r"/LIVE-\w+", args[1])
            assert re.fullmatch(re.escape(str(tmp_path)) + r"/MERGED-\w+", args[2])
            assert done.stdout.count("v1.ConfigMap.default.texts") == 2


@pytest.mark.parametrize("code, want", [(0, 0), (1, 1), (2, 2), (5, 2)])
def test_the_exit_code_of_a_differ_is_kept_and_its_failure_is_two(tmp_path, differ, code, want):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        done = run(socket, "diff", "-f", "texts.yaml", SPILLWAY_EXTERNAL_DIFF=differ,
                   DIFFER_EXIT=str(code))
    assert done.returncode == want
    assert done.stderr == (f'error: failed to run "{differ}": exit status {code}\n' if code > 1
                           else "")


def test_a_differ_that_is_not_there_is_named(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        done = run(socket, "diff", "-f", "texts.yaml", SPILLWAY_EXTERNAL_DIFF="no-such-differ")
    assert done.returncode == 2
    assert done.stderr == ('error: failed to run "no-such-differ": exec: "no-such-differ": '
                           'executable file not found in $PATH\n')


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_directories_of_a_diff_are_gone_also_when_it_is_interrupted(tmp_path, number):
    socket, temporary = str(tmp_path / "sock"), tmp_path / "tmp"
    temporary.mkdir()
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\necho started\nexec sleep 60\n')
    slow.chmod(0o755)
    with fake_daemon.Server(socket):
        run(socket, "diff", "-f", "texts.yaml", TMPDIR=str(temporary))
        assert os.listdir(temporary) == []
        env = dict(os.environ, TMPDIR=str(temporary), SPILLWAY_EXTERNAL_DIFF=str(slow))
        with subprocess.Popen([SPILLWAY, "--socket", socket, "diff", "-f", "texts.yaml"], text=True,
                              cwd=MANIFESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=env) as process:
            assert process.stdout.readline() == "started\n"
            assert len(os.listdir(temporary)) == 2
            assert all(os.stat(d).st_mode & 0o077 == 0 for d in temporary.iterdir())
            process.send_signal(number)
            _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "Aborted.\n")
    assert os.listdir(temporary) == []


def test_an_interrupted_request_says_aborted(tmp_path):
    path = str(tmp_path / "sock")
    with socket_module.socket(socket_module.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        for args in (["get", "be"], ["get", "be", "--error-format", "json"]):
            watch = Watch(path, *args)
            connection, _ = silent.accept()
            connection.recv(100)
            assert watch.end(signal.SIGINT) == (130, "Aborted.\n")
            connection.close()


def test_a_request_timeout_is_kept(tmp_path):
    path = str(tmp_path / "sock")
    with socket_module.socket(socket_module.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        done = run(path, "get", "be", "--request-timeout=100ms", "--error-format=json")
    error = json.loads(done.stderr)["error"]
    assert done.returncode == 1
    assert (error["code"], error["retryable"]) == ("Unreachable", True)
    assert error["message"].startswith(f"cannot reach spillwayd at {path}: ")


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves manifests/."""

    def __init__(self, *args):
        super().__init__(*args, directory=MANIFESTS)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Quiet."""


def test_manifests_are_read_from_a_url(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket), http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as web:
        threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{web.server_port}"
        good = run(socket, "apply", "-f", url + "/texts.yaml")
        bad = run(socket, "apply", "-f", url + "/mistakes.yaml")
        gone = run(socket, "apply", "-f", url + "/gone.yaml")
        web.shutdown()
    assert (good.returncode, good.stdout, good.stderr) == (0, "configmap/texts created\n", "")
    assert bad.stderr.startswith(url + "/mistakes.yaml:9:13: The Backend")
    assert gone.stderr.startswith(f'error: unable to read URL "{url}/gone.yaml", server reported '
                                  'status code=404\n')


def test_a_diff_that_cannot_make_its_directories_is_an_error(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        done = run(socket, "diff", "-f", "texts.yaml", TMPDIR="/nonexistent")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("error: no directory can be made in /nonexistent: "
                           "No such file or directory\n")


def test_a_diff_ends_also_where_the_end_of_children_is_ignored(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket):
        done = subprocess.run(
            [SPILLWAY, "--socket", socket, "diff", "-f", "texts.yaml"], cwd=MANIFESTS, timeout=20,
            capture_output=True, check=False,
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert done.returncode == 1


def test_an_edited_gateway_that_changed_meanwhile_is_left_alone(tmp_path):
    socket = str(tmp_path / "sock")
    with fake_daemon.Server(socket) as server:
        run(socket, "apply", "-f", "labelled.yaml")
        args = ("expose", "be/one", "--address", "192.0.2.9", "--port")
        run(socket, *args, "80")
        answer = server.daemon.apply

        def change_first(project, request):
            key = ("default", "gateways", "default", "one")
            server.daemon.objects[key]["metadata"]["resourceVersion"] = "99"
            return answer(project, request)

        server.daemon.apply = change_first
        done = run(socket, *args, "81")
        listeners = server.daemon.objects[("default", "gateways", "default", "one")]["spec"][
            "listeners"]
    assert done.returncode == 1
    assert done.stderr.startswith("Error from server (Conflict): ")
    assert len(listeners) == 1
