#!/bin/bash
# Fetches newer containerds from newer Debian suites into artifacts/matrix/VERSION (containerd, ctr and shim), without
# installing anything, and prints those folders. Go programs need little of the system: they run on bookworm's C library.
# runc stays bookworm's; trixie's is linked against a newer C library. A version already fetched is kept.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$repository/tests/images/mirror.sh"

target=${LAZYSNAP_TEST_MATRIX:-$repository/artifacts/matrix}
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(trixie sid)
mkdir -p "$target"
target=$(cd "$target" && pwd)

# apt with sources, lists and archives of its own: the machine's apt is neither asked nor changed.
suite_apt() {
    local suite=$1 program=$2 state=$target/.apt-$1; shift 2
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    echo "deb $(debian_mirror) $suite main" > "$state/sources.list"
    "$program" -q -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$state/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$state" \
        -o Dir::Cache::Archives="$state/archives" -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

for suite in "${suites[@]}"; do
    if [ -f "$target/.$suite" ] && [ -x "$target/$(cat "$target/.$suite")/containerd" ]; then
        echo "$target/$(cat "$target/.$suite")"
        continue
    fi
    work=$target/.fetching-$suite
    rm -rf "$work" && mkdir "$work"
    suite_apt "$suite" apt-get update >&2
    (cd "$work" && suite_apt "$suite" apt-get download containerd >&2 && dpkg -x containerd_*.deb .)
    for program in containerd ctr containerd-shim-runc-v2; do
        "$work/usr/bin/$program" --version >/dev/null 2>"$work/error" || "$work/usr/bin/$program" -v >/dev/null 2>"$work/error" ||
            { echo "$suite's $program does not run on this machine: $(cat "$work/error")" >&2; exit 1; }
    done
    # containerd github.com/containerd/containerd 1.7.24~ds1 REVISION
    version=$("$work/usr/bin/containerd" --version | awk '{ print $3 }' | sed 's/[^0-9.].*//')
    rm -rf "${target:?}/$version"
    mv "$work/usr/bin" "$target/$version"
    rm -rf "$work" "$target/.apt-$suite"
    echo "$version" > "$target/.$suite"
    echo "$target/$version"
done
