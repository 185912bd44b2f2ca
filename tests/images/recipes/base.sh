# The bottom layer of every test image: Debian's minbase, packed once and shared (as images of one fleet share theirs).
recipe() {
    debootstrap --variant=minbase bookworm rootfs "$(debian_mirror)"
    rm -rf rootfs/var/lib/apt/lists/* rootfs/var/cache/apt/*.bin rootfs/var/cache/apt/archives/*.deb
    find rootfs/var/log -type f -delete
    # What debootstrap copied from this machine is none of the image's business.
    : > rootfs/etc/resolv.conf; : > rootfs/etc/hostname; : > rootfs/etc/apt/sources.list
    # Installing nginx must not start nginx.
    printf '#!/bin/sh\nexit 101\n' > rootfs/usr/sbin/policy-rc.d
    chmod 755 rootfs/usr/sbin/policy-rc.d
    pack rootfs layer.tar gnu
    gzip --no-name -6 layer.tar
}
