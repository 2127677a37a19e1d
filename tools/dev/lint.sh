#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Everything a machine can say about the sources; exits 1 when it says something.
# cppcheck does not know cleanup attributes: leaks are found by the sanitizers instead.
set -u

status=0
step() {
    name=$1
    shift
    if out=$("$@" 2>&1); then
        printf '  %-14s ok\n' "$name"
    else
        printf '  %-14s FAILED\n%s\n' "$name" "$out"
        status=1
    fi
}

# shellcheck disable=SC2317  # called by step
headers_alone() {
    bad=0
    for header in $(git ls-files 'loader/*.h' 'include/*.h' 'tools/*.h'); do
        printf '#include "%s"\n' "$header" |
            gcc -std=gnu11 -D_GNU_SOURCE -Wall -Werror -I. -Iinclude -Iloader -Itools -Ibuild/bpf \
                -x c -fsyntax-only - || bad=1
    done
    return "$bad"
}

# shellcheck disable=SC2046  # file names of ours have no spaces
{
    step house-rules /usr/bin/python3 tools/dev/house_rules.py
    step clang-format clang-format-19 --dry-run -Werror $(git ls-files '*.c' '*.h')
    step headers headers_alone
    step cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j2 \
        --enable=warning,performance,portability -D_GNU_SOURCE -Iinclude -Iloader -Itools \
        --suppress=missingIncludeSystem --suppress=unusedFunction --suppress=memleak --suppress=resourceLeak \
        $(git ls-files 'loader/*.c' 'tools/*.c')
    step shellcheck shellcheck $(git ls-files '*.sh') .ci/run
    step python /usr/bin/python3 -m py_compile $(git ls-files '*.py')
}
exit $status
