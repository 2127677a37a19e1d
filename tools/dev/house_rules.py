#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules of CONTRIBUTING.md that a machine can check; prints FILE:LINE: what is wrong."""
import os
import re
import subprocess
import sys

ORDER = ["base", "manifest", "store", "model", "tables", "dns", "health", "dataplane", "handoff",
         "control"]
# A library's header belongs to one folder (the CLI is a program of its own).
LIBRARY = {
    "yaml.h": ["loader/manifest/"],
    "bpf/": ["loader/dataplane/", "tools/decap/", "bpf/", "tests/packet/", "tests/bench/", "tests/kernels/"],
    "libmnl/": ["loader/dataplane/"],
    "sqlite3.h": ["loader/store/", "tests/unit/store_test.c"],
    "ares.h": ["loader/dns/resolver.c"],
    "openssl/": ["loader/health/", "tests/unit/"],
    "microhttpd.h": ["loader/control/"],
    "curl/": ["loader/health/", "tools/ctl/"],
}
MAX_C, MAX_HEADER, MAX_FUNCTION = 400, 250, 60
KERNEL_SIDE = ("bpf/", "include/")

problems = []


def bad(path, line, text):
    """Notes a problem."""
    problems.append(f"{path}:{line}: {text}")


def check_head(path, lines):
    """Licence line, then what the file is for."""
    want = "GPL-2.0-only OR BSD-2-Clause" if path.startswith(KERNEL_SIDE) else "BSD-2-Clause"
    if f"SPDX-License-Identifier: {want} */" not in lines[0]:
        bad(path, 1, f"first line must be the licence: {want}")
    if len(lines) < 2 or not lines[1].startswith("/*"):
        bad(path, 2, "a comment must say what this file does")


def check_size(path, lines):
    """Files that have two concepts."""
    if path.startswith("tests/"):
        return
    limit = MAX_HEADER if path.endswith(".h") or path.startswith("bpf/") else MAX_C
    if len(lines) > limit:
        bad(path, len(lines), f"more than {limit} lines: two concepts?")


def check_includes(path, lines):
    """A loader folder includes only itself and the folders to its left; libraries stay at home."""
    own = path.split("/")[1] if path.startswith("loader/") and path.count("/") > 1 else None
    for number, line in enumerate(lines, 1):
        found = re.match(r'#include ["<]([^">]+)[">]', line)
        if not found:
            continue
        name = found.group(1)
        folder = name.split("/")[0]
        if own in ORDER and folder in ORDER and ORDER.index(folder) > ORDER.index(own):
            bad(path, number, f"loader/{own} may not include loader/{folder}")
        for prefix, homes in LIBRARY.items():
            if name.startswith(prefix) and not path.startswith(tuple(homes)):
                bad(path, number, f"<{name}> belongs to {homes[0]}")


def check_text(path, lines):
    """Small things."""
    for number, line in enumerate(lines, 1):
        if line.endswith((" ", "\t")):
            bad(path, number, "trailing white space")
        if re.match(r"\s*typedef\s+(struct|enum|union)\b", line):
            bad(path, number, "no typedef of structs and enums")
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            bad(path, number, "do it or file it, no TODO")


def check_functions(paths):
    """Functions longer than a screen and a half."""
    out = subprocess.run(["ctags", "-x", "--c-kinds=f", "--_xformat=%{line} %{end} %N %F", *paths],
                         capture_output=True, text=True, check=True).stdout
    for row in out.splitlines():
        start, end, name, path = row.split(" ", 3)
        if end.isdigit() and int(end) - int(start) + 1 > MAX_FUNCTION:
            bad(path, start, f"{name}(): {int(end) - int(start) + 1} lines, limit {MAX_FUNCTION}")


def check_machine_paths(paths):
    """No path of the machine it was written on."""
    for path in paths:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if re.search(rb"[\"' (]/(work|root)/", line):
                    bad(path, number, "a path of this machine")


def main():
    """Checks every tracked file."""
    tracked = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, text=True, check=True).stdout.split("\0")
    tracked = [p for p in tracked if p and os.path.isfile(p)]
    sources = [p for p in tracked if p.endswith((".c", ".h"))]
    for path in sources:
        with open(path, encoding="utf8") as file:
            lines = file.read().split("\n")
        check_head(path, lines)
        check_size(path, lines)
        check_includes(path, lines)
        check_text(path, lines)
    check_functions(sources)
    check_machine_paths([p for p in tracked if not p.startswith("tests/cases/")])
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
