#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The main job, shown and checked: a client, a gateway, three primary and two fallback servers.

Applies examples/web with the real CLI, sends real HTTP requests over IPv4 and IPv6, takes the
primaries away one by one (killed, or set down by hand) and lets them come back. After each step the
shares must be those of Envoy's tier arithmetic within 4 points, and Spillway's counters must equal
what the servers counted. The sums behind the shares and the events are shown as the CLI prints them.
Exits 0 only if all of it holds.
"""
import collections
import os
import sys
import time

import lib

REQUESTS = 2000  # a step and family
TOLERANCE = 4.0  # percentage points
FAMILIES = ((4, lib.VIP4), (6, lib.VIP6))
PRIMARIES = ("p1", "p2", "p3")


def say(text):
    """Prints a line at once."""
    print(text, flush=True)


class Demo:
    """The running system and what was found wrong."""

    def __init__(self, net):
        self.net = net
        self.servers = {host: lib.Web(net, host).start() for host in lib.SERVERS}
        self.gateway = lib.Gateway(net).start()
        self.problems = []

    def flows(self):
        """Flows opened so far by endpoint, as Spillway counts."""
        return {a: row["totalFlows"] for a, row in self.gateway.endpoints().items()}

    def settle(self, states):
        """Waits until the endpoints of each named server have the state."""
        for host, state in states.items():
            for family, _ in FAMILIES:
                self.gateway.wait_state(lib.endpoint(host, family), state)

    def step(self, title, expected):
        """Sends requests; `expected` is the percentage of tier 0."""
        flows = self.flows()
        counts = {host: web.count() for host, web in self.servers.items()}
        answers = collections.Counter()
        for _, vip in FAMILIES:
            result = lib.fetch(self.net, vip, REQUESTS, parallel=32)
            answers.update(result["answers"])
            if result["errors"]:
                self.problems.append(f"{title}: {len(result['errors'])} failed requests to {vip}: "
                                     f"{result['errors'][0]}")
        self.check(title, expected, answers, flows, counts)
        self.say_sum(title, expected)

    def say_sum(self, title, expected):
        """The line of tier 0 as `endpoints` has it; those of both families must be the same."""
        lines = {line for line in self.gateway.ctl("endpoints", "web").split("\n")
                 if line.startswith("tier 0:")}
        say(f"  {' | '.join(sorted(lines))}")
        if len(lines) != 1 or f"tier 1 takes {100 - expected} %" not in lines.pop():
            self.problems.append(f"{title}: the sum is not that of {expected} % for tier 0")

    def say_events(self):
        """What was told meanwhile, of IPv4."""
        events = self.gateway.ctl("events").rstrip().split("\n")
        say("\n" + "\n".join(line for line in events if "[" not in line))
        for host, reason in (("p1", "connection refused"), ("p2", "set by the operator")):
            if not self.gateway.events(subject=lib.endpoint(host), to="down", reason=reason):
                self.problems.append(f"no event says that {host} went down: {reason}")

    def check(self, title, expected, answers, flows, counts):
        """Holds a step's outcome against the arithmetic and against the counters."""
        total = sum(answers.values())
        shares = {h: 100 * answers[h] / total if total else 0 for h in lib.SERVERS}
        tier0 = sum(shares[h] for h in PRIMARIES)
        say(f"{title:46} {expected:3d}/{100 - expected:<3d}  {tier0:5.1f}/{100 - tier0:<5.1f} "
            + " ".join(f"{answers[h]:6d}" for h in lib.SERVERS))
        if abs(tier0 - expected) > TOLERANCE:
            self.problems.append(f"{title}: tier 0 got {tier0:.1f} %, not {expected} %")
        after = self.flows()
        for host, web in self.servers.items():
            served = web.count() - counts[host]
            counted = sum(after[lib.endpoint(host, f)] - flows[lib.endpoint(host, f)]
                          for f, _ in FAMILIES)
            if not served == counted == answers[host]:
                self.problems.append(f"{title}: {host} served {served}, Spillway counted "
                                     f"{counted}, the client saw {answers[host]}")

    def run(self):
        """All steps."""
        say(self.gateway.ctl("apply", "-f", os.path.join(lib.ROOT, "examples", "web")).rstrip())
        self.settle({host: "up" for host in lib.SERVERS})
        say(f"\n{'':46} tier 0/1 in %\n{'step':46} {'due':7}  {'seen':11} "
            + " ".join(f"{h:>6}" for h in lib.SERVERS))
        self.step("all up", 100)
        self.servers["p1"].kill()
        self.settle({"p1": "down"})
        self.step("p1 killed, noticed by the checks", 93)
        for family, _ in FAMILIES:
            self.gateway.ctl("set", "endpoint", lib.endpoint("p2", family), "--state", "down")
        self.step("p2 set down by hand", 46)
        self.servers["p3"].kill()
        self.settle({"p3": "down"})
        self.step("p3 killed too: all on the fallback", 0)
        self.servers["p1"].start()
        self.settle({"p1": "up"})
        self.step("p1 is back", 46)
        self.servers["p3"].start()
        for family, _ in FAMILIES:
            self.gateway.ctl("set", "endpoint", lib.endpoint("p2", family), "--state", "auto")
        self.settle({host: "up" for host in lib.SERVERS})
        self.step("all up again", 100)
        say("\n" + self.gateway.ctl("endpoints", "web").rstrip())
        self.say_events()


def main():
    """Runs the demo; returns the exit status."""
    start = time.monotonic()
    lib.remove_stale()
    with lib.standard_net() as net:
        demo = None
        try:
            demo = Demo(net)
            demo.run()
            demo.gateway.kill(lib.signal.SIGTERM)
            demo.gateway.detach()
        except lib.Failed as why:
            print(f"demo: {why}", file=sys.stderr)
            if demo and demo.gateway.process:
                print(demo.gateway.log(), file=sys.stderr)
            return 1
    for problem in demo.problems:
        print(f"demo: {problem}", file=sys.stderr)
    say(f"\n{'FAILED' if demo.problems else 'all as it should be'}, "
        f"{time.monotonic() - start:.0f} s")
    return 1 if demo.problems else 0


if __name__ == "__main__":
    sys.exit(main())
