# SPDX-License-Identifier: BSD-2-Clause
"""Manifests to tables: `spillway compile` of tables/CASE/in.yaml must print out.txt.

The first comment of in.yaml says what the case is about; a line `# args: ...` gives flags to the
verb (--down ADDR, --set-down ADDR, --host-address ADDR). UPDATE_GOLDEN=1 writes what it prints.
"""
import os
import shlex
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SPILLWAY = os.path.join(os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build")), "spillway")
CASES = sorted(os.listdir(os.path.join(HERE, "tables")))


def arguments(path):
    """Flags that the manifest's comments ask for."""
    with open(path, encoding="utf8") as file:
        lines = [line[8:] for line in file if line.startswith("# args: ")]
    return [word for line in lines for word in shlex.split(line)]


@pytest.mark.parametrize("case", CASES)
def test_manifest_becomes_these_tables(case):
    """Shares, slot counts, fingerprints of the slots and warnings, byte by byte."""
    folder = os.path.join(HERE, "tables", case)
    done = subprocess.run([SPILLWAY, "compile", "-f", "in.yaml",
                           *arguments(os.path.join(folder, "in.yaml"))],
                          cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stderr + done.stdout
    golden = os.path.join(folder, "out.txt")
    if os.environ.get("UPDATE_GOLDEN"):
        with open(golden, "w", encoding="utf8") as file:
            file.write(printed)
    with open(golden, encoding="utf8") as file:
        assert printed == file.read()
