# The Debian mirror this machine already uses; LAZYSNAP_DEBIAN_MIRROR overrides it. Sourced.
debian_mirror() {
    if [ -n "${LAZYSNAP_DEBIAN_MIRROR:-}" ]; then echo "$LAZYSNAP_DEBIAN_MIRROR"; return; fi
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk '$3 == "main" && $2 ~ /^(bookworm|trixie|forky|sid|stable|testing|unstable)$/ && !seen++ { print $1 }')
    [ -n "$mirror" ] || { echo "apt knows no Debian mirror; set LAZYSNAP_DEBIAN_MIRROR" >&2; return 1; }
    echo "$mirror"
}
