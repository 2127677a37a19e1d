#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""run_fuzz.py PROGRAM...: every libFuzzer target over its corpus once, then a bounded run from there.

tests/fuzz/corpus/TARGET/ holds the inputs that are kept, TARGET.dict the words they are made of; targets
that read manifests start with those of tests/cases and examples as well. FUZZ_SECONDS (default 10) each.
"""
import os
import subprocess
import sys

FOUND = "build/fuzz/found"


def manifests():
    """Directories of manifests that are there for other reasons."""
    return sorted(d.path for d in os.scandir("tests/cases") if d.is_dir()
                  and not d.name.startswith("__")) + ["examples"]


def run(program, *args):
    """The exit code, and what it said."""
    done = subprocess.run([program, "-timeout=10", "-rss_limit_mb=2048", "-max_len=16384",
                           f"-artifact_prefix={FOUND}/{os.path.basename(program)}-", *args],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def fuzz(program, seconds):
    """None, or what it said when it failed."""
    name = os.path.basename(program)
    kept = f"tests/fuzz/corpus/{name}"
    found = f"{FOUND}/{name}"
    os.makedirs(found, exist_ok=True)
    words = f"tests/fuzz/{name}.dict"
    options = [f"-dict={words}"] if os.path.exists(words) else []
    dirs = [kept] if os.path.isdir(kept) else []
    if name in ("manifest_fuzz", "model_fuzz"):
        dirs += manifests()
    code, said = run(program, "-runs=0", *dirs)
    if code == 0:
        code, said = run(program, f"-max_total_time={seconds}", *options, found, *dirs)
    return said if code else None


def main():
    seconds = os.environ.get("FUZZ_SECONDS", "10")
    passed = failed = 0
    for program in sys.argv[1:]:
        said = fuzz(program, seconds)
        print(f"  {os.path.basename(program):28} {'FAILED' if said else 'passed'}")
        if said:
            print(said[-6000:])
        failed += bool(said)
        passed += not said
    os.makedirs("build/results", exist_ok=True)
    with open("build/results/fuzz", "w", encoding="ascii") as out:
        out.write(f"{passed} {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
