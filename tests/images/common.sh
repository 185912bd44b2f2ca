# What the recipes share. A recipe is a file recipes/NAME.sh that defines one function, `recipe`, which fills the folder
# "$work" (the current directory); "$work/layout" becomes the image. Sourced by `build`.

# Every recipe runs in a mount namespace of its own: whatever it mounts goes away with it, however it ends.

source "$here/mirror.sh"

die() { echo "tests/images/build: $*" >&2; exit 1; }

# Recipe, helpers and base decide what an image contains; so they decide its name.
hash_of() {
    local files=("$here/common.sh" "$here/recipes/base.sh" "$here"/tools/*)
    [ "$1" = base ] || files+=("$here/recipes/$1.sh" "$here/recipes/$1".*.py)
    for file in "${files[@]}"; do [ ! -f "$file" ] || cat "$file"; done | sha256sum | cut -c1-12
}
layout_of() { echo "$cache/$1-$(hash_of "$1")/layout"; }
base() { echo "$cache/base-$(hash_of base)"; }

all_built() {
    local name
    for name in "${images[@]}"; do [ -d "$(dirname "$(layout_of "$name")")" ] || return 1; done
}

remove_interrupted_builds() {
    local left
    for left in "$cache"/.building-*; do
        [ ! -d "$left" ] || rm -rf --one-file-system "$left"
    done
}

build() {
    local name=$1 target work log
    target=$cache/$name-$(hash_of "$name")
    [ ! -d "$target" ] || return 0
    work=$cache/.building-$name
    log=$cache/$name.log
    echo "building the $name image (log: $log)" >&2
    rm -rf --one-file-system "$work"
    mkdir -p "$work"
    if ! run_recipe "$name" "$work" >"$log" 2>&1 9>&-; then
        tail -n 40 "$log" >&2
        die "the recipe of the $name image failed; the whole log is $log"
    fi
    mv "$work" "$target"
    for old in "$cache/$name"-*; do
        [ "$old" = "$target" ] || rm -rf --one-file-system "$old"
    done
}

run_recipe() {
    here=$here cache=$cache unshare --mount --propagation private bash -c '
        set -euo pipefail
        source "$here/common.sh"
        source "$here/recipes/'"$1"'.sh"
        export work="$2" LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive TZ=UTC
        umask 022
        cd "$work"
        recipe' recipe "$1" "$2"
}

# apt of the machine, with lists and archives of its own, for the packages of a root folder.
apt_for() {
    local root=$1; shift
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
    [ -f "$work/apt/sources.list" ] || echo "deb $(debian_mirror) bookworm main" > "$work/apt/sources.list"
    apt-get -q -y -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$work/apt/lists" -o Dir::State::Status="$root/var/lib/dpkg/status" \
        -o Dir::Cache="$work/apt" -o Dir::Cache::Archives="$work/apt/archives" \
        -o APT::Install-Recommends=false "$@"
}

# Packages are fetched from outside and unpacked inside, so that the root needs neither network nor mirror, and neither
# lists nor archives ever lie in the image.
install_packages() {
    local root=$1; shift
    [ -d "$work/apt/lists/partial" ] || apt_for "$root" update
    apt_for "$root" install --download-only "$@"
    # The subshell's mounts are the recipe's namespace's; they are undone before the tree is packed.
    mount --bind "$work/apt/lists" "$root/var/lib/apt/lists"
    mount --bind "$work/apt" "$root/var/cache/apt"
    mount -t proc proc "$root/proc"
    local status=0
    chroot "$root" apt-get -q -y -o APT::Sandbox::User=root -o Dir::Etc::SourceList=/var/cache/apt/sources.list \
        -o Dpkg::Options::=--force-unsafe-io -o APT::Install-Recommends=false install --no-download "$@" || status=$?
    umount "$root/proc" "$root/var/cache/apt" "$root/var/lib/apt/lists"
    find "$root/var/log" -type f -delete
    return $status
}

# A layer as Docker's overlay2 driver makes it: begin_layer mounts the tree built so far under "$work/root", the recipe
# changes it, end_layer packs what changed into NAME.tar in the given format (see pack).
layers=()
begin_layer() {
    local lower i
    lower=$(base)/rootfs
    for ((i = 0; i < ${#layers[@]}; i++)); do lower=$work/changes-${layers[i]}:$lower; done
    mkdir -p root "changes-$1" "overlay-work"
    layers+=("$1")
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/changes-$1,workdir=$work/overlay-work,index=off,metacopy=off,redirect_dir=off" root
}
end_layer() {
    local name=$1
    umount root
    # The copy gets the whiteouts of a layer; the original stays a lower directory for the layers after it.
    cp -a --reflink=auto --sparse=always "changes-$name" "packed-$name"
    python3 "$here/tools/overlay_to_layer.py" "packed-$name"
    pack "packed-$name" "$name.tar" "$2"
    rm -rf "packed-$name"
}

# pack FOLDER ARCHIVE gnu|pax. --sort: readdir order differs from build to build. Only pax knows xattrs and fractions of a
# second; its atime and ctime would be noise. containerd refuses GNU's sparse entries (type 'S') and takes those of pax.
pack() {
    local options=(--format=gnu)
    [ "$3" = gnu ] || options=(--format=pax --pax-option=delete=atime,delete=ctime --sparse
        --xattrs --xattrs-include='*' --xattrs-exclude='trusted.overlay.*')
    tar --create --file "$2" --directory "$1" --sort=name --numeric-owner "${options[@]}" .
}

# All that is left of a build is the image, and the list of directories whose time no layer records.
finish() {
    umoci config --image layout:latest --created 2024-01-01T00:00:00Z "$@"
    umoci gc --layout layout
    python3 "$here/tools/unpack_times.py" layout latest > unpack-times
    find . -mindepth 1 -maxdepth 1 ! -name layout ! -name unpack-times -exec rm -rf --one-file-system {} +
}

add_layer() { python3 "$here/tools/add_layer.py" layout latest "$@"; }
