#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs those of the named Debian packages that are missing; silent when none is.
set -eu

missing=
for pkg in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$pkg" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $pkg"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "deps: missing packages:$missing: run 'make deps' as root" >&2
    exit 1
fi
echo "deps: installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
