#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# pytest.sh SUITE DIR...: runs pytest in parallel and leaves the counts in build/results/SUITE.
# A skipped test counts as failed.
set -u

suite=$1
shift
mkdir -p build/results
xml=build/results/$suite.xml
# shellcheck disable=SC2086  # PYTEST_ARGS is a list of words
/usr/bin/python3 -m pytest -q -p no:cacheprovider -n "${JOBS:-2}" --junitxml="$xml" ${PYTEST_ARGS:-} "$@"
status=$?
/usr/bin/python3 - "$xml" "build/results/$suite" <<'PY'
import sys
import xml.etree.ElementTree as tree

suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
total = int(suite.get("tests"))
bad = sum(int(suite.get(k)) for k in ("failures", "errors", "skipped"))
with open(sys.argv[2], "w") as out:
    out.write(f"{total - bad} {bad}\n")
sys.exit(1 if bad or total == 0 else 0)
PY
counted=$?
[ $status -eq 0 ] && [ $counted -eq 0 ]
