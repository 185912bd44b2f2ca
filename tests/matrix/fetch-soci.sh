#!/bin/bash
# Fetches Debian trixie's soci and soci-snapshotter-grpc into artifacts/matrix/soci-VERSION, without installing anything,
# and prints that folder. A version already fetched is kept.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$repository/tests/matrix/apt.sh"

target=${LAZYSNAP_TEST_MATRIX:-$repository/artifacts/matrix}
mkdir -p "$target"
target=$(cd "$target" && pwd)
if [ -f "$target/.soci" ] && [ -x "$target/$(cat "$target/.soci")/soci" ]; then
    echo "$target/$(cat "$target/.soci")"
    exit
fi

work=$target/.fetching-soci
suite_package trixie soci-snapshotter "$work"
# soci version 0.4.1-5+b3 0.4.1-5+b3
version=$("$work/usr/bin/soci" --version) || { echo "trixie's soci does not run on this machine" >&2; exit 1; }
name=soci-$(echo "$version" | awk '{ print $3 }' | sed 's/[^0-9.].*//')
rm -rf "${target:?}/$name"
mv "$work/usr/bin" "$target/$name"
rm -rf "$work"
echo "$name" > "$target/.soci"
echo "$target/$name"
