#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""guest.py OBJECT...: what runs inside the virtual machine: every check of checks.py, each
reported as a line of JSON on the second serial line."""
import json
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "netns"), os.path.dirname(HERE)]
sys.path.insert(0, HERE)
# pylint: disable=wrong-import-position
import checks  # noqa: E402
import cards  # noqa: E402

REPORTS = "/dev/ttyS1"


def report(**what):
    """One line to the host."""
    with open(REPORTS, "w", encoding="utf8") as line:
        line.write(json.dumps(what) + "\n")


def once(name, check, *args):
    """Runs one check and reports what came of it; a check may return what to show."""
    began = time.monotonic()
    try:
        shown = check(*args)
        report(check=name, ok=True, seconds=round(time.monotonic() - began, 1), shown=shown)
    except Exception:  # whatever it is, the next check runs
        report(check=name, ok=False, seconds=round(time.monotonic() - began, 1),
               text=traceback.format_exc())


def main():
    """All checks in their order."""
    report(programs=checks.walked(sys.argv[1:]))
    began = time.monotonic()
    passed, failed, text = checks.packet_tests()
    report(counted="packet tests", passed=passed, failed=failed, text=text if failed else "",
           seconds=round(time.monotonic() - began, 1))
    world = checks.World(cards.card_net())
    for check in checks.CHECKS:
        once(check.__name__.replace("_", " "), check, world)
    world.net.close()


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        report(broke=traceback.format_exc())
        raise
