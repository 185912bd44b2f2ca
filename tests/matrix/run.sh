#!/bin/bash
# Runs the integration tests and the demo with the machine's containerd and with every one that fetch.sh gets, the tests
# with the real soci that fetch-soci.sh gets, and writes the tables of docs/COMPATIBILITY.md. Exit status 1 when any failed.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$repository"
project=tests/LazySnapshotter.IntegrationTests
results=artifacts/matrix-results
configuration=${CONFIGURATION:-Debug}
export LAZYSNAP_PROGRAM=${LAZYSNAP_PROGRAM:-$repository/out/lazysnap}

mapfile -t folders < <(tests/matrix/fetch.sh)
[ ${#folders[@]} -gt 0 ] || { echo "no containerd was fetched" >&2; exit 1; }
soci=$(tests/matrix/fetch-soci.sh)
rm -rf "$results" && mkdir -p "$results"
dotnet build "$project" --configuration "$configuration" --nologo --verbosity quiet
dotnet build tests/LazySnapshotter.Demo --configuration Release --nologo --verbosity quiet

failed=0
# With soci once, on the machine's containerd: these tests are about its formats, not about containerd's versions.
echo "== soci, $soci"
LAZYSNAP_TEST_SOCI=$soci dotnet test "$project" --configuration "$configuration" --no-build --nologo \
    --filter "FullyQualifiedName~IntegrationTests.Soci." --results-directory "$results" --logger "console;verbosity=normal" || failed=1

for folder in "" "${folders[@]}"; do
    containerd=${folder:+$folder/}containerd
    version=$("$containerd" --version | awk '{ print $3 }' | sed 's/[^0-9.].*//')
    echo "== containerd $version"
    LAZYSNAP_TEST_CONTAINERD=$folder dotnet test "$project" --configuration "$configuration" --no-build --nologo \
        --results-directory "$results" --logger "trx;LogFileName=$version.trx" || failed=1
    LAZYSNAP_TEST_CONTAINERD=$folder dotnet run --project tests/LazySnapshotter.Demo --configuration Release --no-build \
        | tee "$results/$version.demo" || failed=1
done
python3 tests/matrix/report.py "$results" > docs/COMPATIBILITY.md
cat docs/COMPATIBILITY.md
exit $failed
