#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""run_fuzz.py PROGRAM...: a bounded run of every libFuzzer target over its seeds and beyond.

Seeds are tests/fuzz/NAME.seeds/ and, for manifests, tests/cases. FUZZ_SECONDS (default 10) each.
"""
import os
import subprocess
import sys


def seeds(name):
    """Directories whose files start the fuzzing."""
    own = f"tests/fuzz/{name}.seeds"
    dirs = [own] if os.path.isdir(own) else []
    return dirs + sorted(d.path for d in os.scandir("tests/cases") if d.is_dir()
                         and not d.name.startswith("__"))


def main():
    seconds = os.environ.get("FUZZ_SECONDS", "10")
    passed = failed = 0
    for program in sys.argv[1:]:
        name = os.path.basename(program)
        corpus = f"build/fuzz/{name}"
        os.makedirs(corpus, exist_ok=True)
        done = subprocess.run([program, f"-max_total_time={seconds}", "-timeout=10",
                               "-rss_limit_mb=2048", f"-artifact_prefix={corpus}-",
                               corpus, *seeds(name)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        ok = done.returncode == 0
        print(f"  {name:28} {'passed' if ok else 'FAILED'}")
        if not ok:
            print(done.stdout.decode(errors="replace")[-6000:])
        passed += ok
        failed += not ok
    os.makedirs("build/results", exist_ok=True)
    with open("build/results/fuzz", "w", encoding="ascii") as out:
        out.write(f"{passed} {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
