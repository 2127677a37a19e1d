#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""boot.py SERIES COMMAND...: runs a command as root on another kernel, with this host's files and the
cards of vm.py. What it writes is lost when it ends. For example, what no suite does:

    tests/kernels/boot.py 6.1 python3 -m pytest -q -p no:cacheprovider tests/netns/test_tiers.py
"""
import os
import signal
import sys

import debian
import vm

BUILD = os.environ.get("SPILLWAY_BUILD", os.path.join(vm.ROOT, "build"))
LIMIT_S = 3600


def main():
    """The console goes to standard output, the command's exit code is ours."""
    if len(sys.argv) < 3 or sys.argv[1] not in debian.SERIES:
        sys.exit(f"usage: boot.py {'|'.join(debian.SERIES)} COMMAND...")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, it cleans up
    kernel = debian.kernel(sys.argv[1], os.path.join(BUILD, "kernels"))
    with vm.Guest(kernel) as guest:
        reports, problem = guest.run(["env", f"SPILLWAY_BUILD={BUILD}", *sys.argv[2:]], LIMIT_S)
    if problem:
        sys.exit(f"boot: {problem}")
    return next(report["exit"] for report in reports if "exit" in report)


if __name__ == "__main__":
    sys.exit(main())
