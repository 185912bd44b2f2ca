"""Prints, NUL-separated, the directories of an image whose mtime is the time of unpacking: unpack_times.py LAYOUT TAG.

containerd creates a directory that a layer's tar does not mention when it unpacks an entry below it, and the root is never
taken from the tar. Two unpackings differ in those times; every other time must be equal.
"""
import io
import json
import os
import posixpath
import sys
import tarfile

layout, tag = sys.argv[1:]


def blob(digest):
    return os.path.join(layout, "blobs", "sha256", digest.removeprefix("sha256:"))


with open(os.path.join(layout, "index.json"), "rb") as file:
    index = json.load(file)
entry = next(m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == tag)
with open(blob(entry["digest"]), "rb") as file:
    manifest = json.load(file)

unrecorded = set()
for layer in manifest["layers"]:
    recorded, touched = set(), set()
    with tarfile.open(blob(layer["digest"]), "r:*", errors="surrogateescape") as archive:
        for member in archive:
            path = posixpath.normpath("/" + member.name).lstrip("/")
            if member.isdir():
                recorded.add(path)
            while path := posixpath.dirname(path):
                touched.add(path)
    # The topmost layer that mentions a directory decides.
    unrecorded = (unrecorded | touched) - recorded
sys.stdout.buffer.write(b"".join(os.fsencode("/" + path) + b"\0" for path in sorted(unrecorded | {""})))
