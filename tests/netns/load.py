# SPDX-License-Identifier: BSD-2-Clause
"""Things that go on while a test does something else: a request load, and open connections."""
import json
import os
import subprocess
import sys

import lib


class Load:
    """
    Requests from the client until stop(): without pause by `parallel` workers, or with `rate` a
    second, whatever becomes of those before.
    """

    def __init__(self, net, vip=lib.VIP4, parallel=16, path="/", rate=0, timeout=5):
        self.process = net.popen("client", sys.executable, os.path.join(lib.HERE, "webclient.py"),
                                 vip, "80", path, "0", str(parallel), str(timeout), str(rate),
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(self):
        """Ends it; returns what webclient.py prints."""
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)


class Connections:
    """Long-lived echoing connections, held by held.py in the client's namespace."""

    def __init__(self, net, count, vip=lib.VIP4):
        self.process = net.popen("client", sys.executable, os.path.join(lib.HERE, "held.py"), vip,
                                 "80", str(count), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.where = self.ask("")  # the server of each connection

    def ask(self, line):
        """One command to held.py, one line of JSON back."""
        if line:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise lib.Failed("held.py ended: " + open(self.process.log_path).read())
        return json.loads(answer)

    def use(self, timeout=5, but=""):
        """
        A request on every connection at once: the server of each, None where it is broken. Those of
        the server `but` are left alone.
        """
        return self.ask(f"use {timeout} but {but}" if but else f"use {timeout}")

    def close_all(self, server=""):
        """Closes them, or only those of one server."""
        return self.ask(f"close {server}")
