# SPDX-License-Identifier: BSD-2-Clause
"""Every manifest under tests/cases through `spillway validate`: exit code, message and its place.

All of them: no case is left out.
"""
import os
import re
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SPILLWAY_BUILD", os.path.join(ROOT, "build"))
SPILLWAY = os.path.abspath(os.environ.get("SPILLWAY", os.path.join(BUILD, "spillway")))

FOLDERS = sorted(name for name in os.listdir(HERE) if re.match(r"\d\d-", name))


def header(path):
    """The expectation: lines `# WORD: TEXT` of the manifest, or of the file beside it."""
    beside = path + ".expect"
    with open(beside if os.path.exists(beside) else path, "rb") as file:
        raw = file.read()
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig",
                      errors="replace")
    return dict(re.findall(r"^# (expect|message|flags): ?(.*?)\r?$", text, re.M))


def cases():
    """Path below tests/cases and header of each manifest."""
    for folder in FOLDERS:
        for name in sorted(os.listdir(os.path.join(HERE, folder))):
            if name.endswith(".expect"):
                continue
            head = header(os.path.join(HERE, folder, name))
            yield pytest.param(f"{folder}/{name}", head, id=f"{folder}/{name}")


@pytest.mark.parametrize("path, head", cases())
def test_manifest_is_judged_as_upstream_would(path, head):
    """Exit 0, or exit 1 with the message behind FILE:LINE:COLUMN:."""
    done = subprocess.run([SPILLWAY, "validate", *head.get("flags", "").split(), "-f", path],
                          cwd=HERE, capture_output=True, check=False, timeout=60)
    said = done.stderr.decode(errors="replace")
    if head["expect"] == "valid":
        assert (done.returncode, said) == (0, "")
        return
    assert done.returncode == 1, said
    place = re.escape(path) + r":[1-9][0-9]*:[1-9][0-9]*: "
    lines = said.splitlines()
    assert all(re.match(place, line) for line in lines), said
    assert any(head["message"] in line for line in lines), said


def test_the_index_lists_every_manifest():
    """No case is lost from the table or from the folders."""
    with open(os.path.join(HERE, "INDEX.tsv"), encoding="utf8") as file:
        listed = {line.split("\t")[0] for line in file.read().splitlines()[1:]}
    there = {f"{folder}/{name}" for folder in os.listdir(HERE) if re.match(r"\d\d-", folder)
             for name in os.listdir(os.path.join(HERE, folder)) if not name.endswith(".expect")}
    assert listed == there
