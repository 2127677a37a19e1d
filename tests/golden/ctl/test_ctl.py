# SPDX-License-Identifier: BSD-2-Clause
"""Transcripts of the tool against a fake daemon: what it prints and how it ends, to the byte.

A transcript is a *.txt file: a line `$ spillway ARGUMENTS`, its standard output, its standard error
with `! ` in front, and `[exit N]` unless N is 0. The commands of a file run in order against one
daemon, in manifests/. UPDATE_GOLDEN=1 writes what is printed now into the files.
"""
import glob
import os
import re
import shlex
import subprocess

import pytest

import fake_daemon

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SPILLWAY = os.path.join(os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build")), "spillway")
MANIFESTS = os.path.join(HERE, "manifests")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def run(socket, *args, stdin=None):
    """Runs the tool in manifests/."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("SPILLWAY_")}
    return subprocess.run([SPILLWAY, *args], cwd=MANIFESTS, capture_output=True, text=True,
                          input=stdin, env=dict(env, SPILLWAY_SOCKET=socket), timeout=30,
                          check=False)


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
    return TIME.sub("2026-01-02T03:04:05Z", text)


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
                                     "set endpoint 10.0.0.1 --state up", "delete be web"])
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
                                  "set", "stats", "flows", "status", "version", "help"])
def test_every_verb_has_help(verb):
    done = run("/nowhere", verb, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "\nUsage:\n  spillway " + verb in done.stdout
    assert run("/nowhere", "help", verb).stdout == done.stdout
