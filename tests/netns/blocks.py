# SPDX-License-Identifier: BSD-2-Clause
"""Connections that move numbered blocks both ways all the time, held by blocks.c in the client's
namespace."""
import json
import os
import subprocess

import lib

BLOCKS = os.path.join(lib.BUILD, "tests", "netns", "blocks")
BROKEN = ("ended", "reset", "wrong", "silent", "other")  # how a connection may break


class Talk:
    """`blocks talk` to the VIP, and what it has reported so far."""

    def __init__(self, net, cpu, connections, every_ms):
        self.process = net.popen("client", BLOCKS, "talk", lib.VIP4, "80", str(connections),
                                 str(every_ms), str(cpu), stdin=subprocess.PIPE)
        self.reported = []
        lib.wait_for("the connections", self.reports, timeout=30)

    def reports(self):
        """One a second; the first says that all are connected."""
        with open(self.process.log_path, encoding="utf8") as log:
            lines = log.read().split("\n")
        if self.process.poll():
            raise lib.Failed("blocks: " + "\n".join(lines))
        self.reported = [json.loads(line) for line in lines[:-1] if line.startswith("{")]
        return self.reported

    def between(self, began, ended):
        """Those of whole seconds of a span."""
        return [r for r in self.reports() if began + 1 <= r["at"] <= ended]

    def stop(self):
        """Ends it; returns its latest report."""
        self.process.stdin.close()
        self.process.wait(timeout=10)
        return self.reports()[-1]
