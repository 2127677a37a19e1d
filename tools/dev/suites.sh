#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# suites.sh TARGET...: makes every target, also after a failed one, and ends with the sum of all
# counts as `N passed, N failed`.
set -u

failed_targets=0
for target in "$@"; do
    echo "== $target"
    ${MAKE:-make} --no-print-directory "$target" || {
        echo "== $target: FAILED"
        failed_targets=$((failed_targets + 1))
    }
done
passed=0
failed=0
for counts in build/results/*; do
    case $counts in *.xml | *.log) continue ;; esac
    [ -f "$counts" ] || continue
    read -r p f <"$counts"
    passed=$((passed + p))
    failed=$((failed + f))
done
# A suite that broke before it could count is a failure too.
[ "$failed_targets" -gt 0 ] && [ "$failed" -eq 0 ] && failed=$failed_targets
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$failed_targets" -eq 0 ]
