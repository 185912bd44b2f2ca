"""Turns an overlayfs upper directory into the content of an OCI layer, in place.

A deleted name is a 0:0 character device in overlayfs and a file .wh.NAME in a layer; a directory that hides what lies
below it has an xattr in overlayfs and a file .wh..wh..opq in a layer (OCI image spec, layer.md, "Whiteouts").
"""
import os
import stat
import sys


def convert(folder):
    times = os.stat(folder)
    for entry in list(os.scandir(folder)):
        info = entry.stat(follow_symlinks=False)
        if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            os.unlink(entry.path)
            open(os.path.join(folder, b".wh." + entry.name), "wb").close()
        elif stat.S_ISDIR(info.st_mode):
            convert(entry.path)
    if b"trusted.overlay.opaque" in map(os.fsencode, os.listxattr(folder)):
        open(os.path.join(folder, b".wh..wh..opq"), "wb").close()
    os.utime(folder, ns=(times.st_atime_ns, times.st_mtime_ns))


convert(os.fsencode(sys.argv[1]))
