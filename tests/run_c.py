#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""run_c.py SUITE PROGRAM...: runs cmocka programs, prints what failed, counts for `make check`.

cmocka writes one line per test; a program that dies (a sanitizer, a signal) counts as one failure.
"""
import os
import re
import subprocess
import sys

TIMEOUT_S = 600


def run(*command):
    """Returns (passed, failed, output) of one program."""
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
               UBSAN_OPTIONS="print_stacktrace=1", CMOCKA_MESSAGE_OUTPUT="STDOUT")
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as late:
        return 0, 1, (late.stdout or b"").decode(errors="replace") + "\ntimeout\n"
    text = done.stdout.decode(errors="replace")
    passed = len(re.findall(r"^\[       OK \]", text, re.M))
    failed = len(set(re.findall(r"^\[  FAILED  \] ([a-zA-Z_]\w*)", text, re.M)))
    failed += len(re.findall(r"^\[  SKIPPED \] ([a-zA-Z_]\w*)$", text, re.M))
    if done.returncode and not failed:
        failed = 1
    return passed, failed, text


def main():
    suite, programs = sys.argv[1], sys.argv[2:]
    passed = failed = 0
    for program in programs:
        ok, bad, text = run(program)
        passed += ok
        failed += bad
        print(f"  {os.path.basename(program):28} {ok} passed, {bad} failed")
        if bad:
            print(text)
    os.makedirs("build/results", exist_ok=True)
    with open(f"build/results/{suite}", "w", encoding="ascii") as out:
        out.write(f"{passed} {failed}\n")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
