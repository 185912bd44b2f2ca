# apt for a Debian suite that is not this machine's, with sources, lists and archives of its own: the machine's apt is
# neither asked nor changed. Sourced; $target is where its state goes, LAZYSNAP_DEBIAN_MIRROR the mirror.
source "$(dirname "${BASH_SOURCE[0]}")/../images/mirror.sh"

suite_apt() {
    local suite=$1 program=$2 state=$target/.apt-$1; shift 2
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    echo "deb $(debian_mirror) $suite main" > "$state/sources.list"
    "$program" -q -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$state/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$state" \
        -o Dir::Cache::Archives="$state/archives" -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

# suite_package SUITE PACKAGE FOLDER: unpacks a package there, installing nothing.
suite_package() {
    local suite=$1 package=$2 folder=$3
    rm -rf "$folder" && mkdir -p "$folder"
    suite_apt "$suite" apt-get update >&2
    (cd "$folder" && suite_apt "$suite" apt-get download "$package" >&2 && dpkg -x "$package"_*.deb .)
    rm -rf "$target/.apt-$suite"
}
