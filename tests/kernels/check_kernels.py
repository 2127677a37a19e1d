#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_kernels.py OBJECT...: the packet path on other kernels than this host's.

Boots each of KERNELS in a virtual machine (vm.py), runs there what guest.py lists, and prints what
failed, a table of the instructions that the verifier walked, and the counts. The console of each
boot is in build/kernels/SERIES.log. SERIES=6.1 in the environment leaves the others out.
"""
import os
import signal
import sys
import time

import debian
import vm

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build"))
CACHE = os.path.join(BUILD, "kernels")
KERNELS = os.environ.get("SERIES", " ".join(debian.SERIES)).split()
LIMIT_S = 900  # more than twice what it takes on two processors with nothing else to do

# (object and program, kernel, instructions the verifier may walk, of the 1,000,000 that it would);
# the first row that fits counts, and * fits all.
BUDGETS = (
    ("*", "*", 500_000),
)


def budget(program, series):
    """What the table allows."""
    return next(most for name, kernel, most in BUDGETS
                if name in ("*", program) and kernel in ("*", series))


class Results:
    """What came of one kernel."""

    def __init__(self, series):
        self.series = series
        self.passed = self.failed = 0
        self.walked = {}
        self.lines = []

    def add(self, ok, name, note=""):
        """One check; a failed one is printed with what there is to say."""
        self.passed += bool(ok)
        self.failed += not ok
        self.lines.append(f"  {'ok' if ok else 'FAILED':7} {name}"
                          + (f" ({note})" if ok and note else ""))
        if not ok and note:
            self.lines.append(note)

    def add_programs(self, programs):
        """Programs that loaded, each within its budget."""
        if programs["text"] or not programs["walked"]:
            self.add(False, "every program loads", programs["text"])
        for program, count in programs["walked"].items():
            self.walked[program] = count
            most = budget(program, self.series)
            self.add(count <= most, f"{program} loads within its budget",
                     f"{count:,} of {most:,} instructions walked")

    def add_report(self, report):
        """One line of a guest."""
        if "programs" in report:
            self.add_programs(report["programs"])
        elif "counted" in report:
            self.passed += report["passed"]
            self.failed += report["failed"]
            self.lines.append(f"  {report['passed']} {report['counted']} passed, "
                              f"{report['failed']} failed ({report['seconds']} s)")
            if report["text"]:
                self.lines.append(report["text"])
        elif "check" in report:
            note = report.get("text") or ", ".join(
                filter(None, (report["shown"], f"{report['seconds']} s")))
            self.add(report["ok"], report["check"], note)
        elif "broke" in report:
            self.add(False, "the checks come to their end", report["broke"])


def print_table(results):
    """Instructions walked, a row a program, a column a kernel."""
    print(f"{'instructions walked':32}" + "".join(f"{'Linux ' + r.series:>12}" for r in results))
    for program in dict.fromkeys(name for r in results for name in r.walked):
        print(f"{program:32}" + "".join(
            f"{r.walked[program]:12,}" if program in r.walked else f"{'-':>12}" for r in results))


def tail(path, lines=40):
    """The end of a log."""
    with open(path, encoding="utf8", errors="replace") as log:
        return "".join(log.readlines()[-lines:])


def boot(kernel, objects, results):
    """Boots one kernel and counts what it reports."""
    log = os.path.join(CACHE, f"{kernel.series}.log")
    with vm.Guest(kernel, log) as guest:
        reports, problem = guest.run(
            ["env", f"SPILLWAY_BUILD={BUILD}", sys.executable, os.path.join(HERE, "guest.py"),
             *objects], LIMIT_S)
    for report in reports:
        results.add_report(report)
    if problem:
        results.add(False, "the guest comes to its end", problem)
    if results.failed:
        results.lines.append(f"end of {os.path.relpath(log, ROOT)}:\n{tail(log)}")


def check(series, objects):
    """All about one kernel."""
    results, began = Results(series), time.monotonic()
    try:
        kernel = debian.kernel(series, CACHE)
        results.lines.append(f"{kernel.release}:")
        boot(kernel, objects, results)
    except (debian.Failed, OSError) as why:
        results.add(False, f"Linux {series} boots", str(why))
    results.lines.append(f"  {time.monotonic() - began:.0f} s")
    print("\n".join(results.lines), flush=True)
    return results


def main():
    """All kernels, one after the other: each takes both of a small host's processors."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, it cleans up
    objects = [os.path.abspath(path) for path in sys.argv[1:]]
    os.makedirs(CACHE, exist_ok=True)
    results = [check(series, objects) for series in KERNELS]
    print_table(results)
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    os.makedirs(os.path.join(BUILD, "results"), exist_ok=True)
    with open(os.path.join(BUILD, "results", "kernels"), "w", encoding="ascii") as out:
        out.write(f"{passed} {failed}\n")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
