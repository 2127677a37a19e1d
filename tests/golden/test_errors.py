# SPDX-License-Identifier: BSD-2-Clause
"""Manifests to errors: `spillway validate` of errors/CASE/in.yaml must say errors.txt, exactly.

The input is in.yaml or in.json. UPDATE_GOLDEN=1 writes what is said now.
"""
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build"))
SPILLWAY = os.path.abspath(os.environ.get("SPILLWAY", os.path.join(BUILD, "spillway")))
CASES = sorted(os.listdir(os.path.join(HERE, "errors")))


@pytest.mark.parametrize("case", CASES)
def test_manifest_is_refused_in_these_words(case):
    """All mistakes of a file in one run, in order of place."""
    folder = os.path.join(HERE, "errors", case)
    name = "in.json" if os.path.exists(os.path.join(folder, "in.json")) else "in.yaml"
    done = subprocess.run([SPILLWAY, "validate", "-f", name], cwd=folder, capture_output=True,
                          text=True, check=False, timeout=60)
    golden = os.path.join(folder, "errors.txt")
    if os.environ.get("UPDATE_GOLDEN"):
        with open(golden, "w", encoding="utf8") as file:
            file.write(done.stderr)
    with open(golden, encoding="utf8") as file:
        assert done.stderr == file.read()
    assert done.returncode == 1
