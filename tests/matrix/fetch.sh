#!/bin/bash
# Fetches newer containerds from newer Debian suites into artifacts/matrix/VERSION (containerd, ctr and shim), without
# installing anything, and prints those folders. Go programs need little of the system: they run on bookworm's C library.
# runc stays bookworm's; trixie's is linked against a newer C library. A version already fetched is kept.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$repository/tests/matrix/apt.sh"

target=${LAZYSNAP_TEST_MATRIX:-$repository/artifacts/matrix}
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(trixie sid)
mkdir -p "$target"
target=$(cd "$target" && pwd)

for suite in "${suites[@]}"; do
    if [ -f "$target/.$suite" ] && [ -x "$target/$(cat "$target/.$suite")/containerd" ]; then
        echo "$target/$(cat "$target/.$suite")"
        continue
    fi
    work=$target/.fetching-$suite
    suite_package "$suite" containerd "$work"
    for program in containerd ctr containerd-shim-runc-v2; do
        "$work/usr/bin/$program" --version >/dev/null 2>"$work/error" || "$work/usr/bin/$program" -v >/dev/null 2>"$work/error" ||
            { echo "$suite's $program does not run on this machine: $(cat "$work/error")" >&2; exit 1; }
    done
    # containerd github.com/containerd/containerd 1.7.24~ds1 REVISION
    version=$("$work/usr/bin/containerd" --version | awk '{ print $3 }' | sed 's/[^0-9.].*//')
    rm -rf "${target:?}/$version"
    mv "$work/usr/bin" "$target/$version"
    rm -rf "$work"
    echo "$version" > "$target/.$suite"
    echo "$target/$version"
done
