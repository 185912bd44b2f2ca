"""Adds a layer to an image in an OCI layout without touching its bytes: add_layer.py LAYOUT TAG FILE.

umoci compresses every layer itself; this keeps the gzip stream as its producer wrote it, because readers of gzip layers
must cope with every producer. A file that is not gzip becomes an uncompressed layer.
"""
import hashlib
import json
import os
import sys
import zlib

layout, tag, path = sys.argv[1:]
CHUNK = 1 << 20


def blob(digest):
    return os.path.join(layout, "blobs", "sha256", digest.removeprefix("sha256:"))


def load(digest):
    with open(blob(digest), "rb") as file:
        return json.load(file)


def store(value):
    data = json.dumps(value, separators=(",", ":")).encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with open(blob(digest), "wb") as file:
        file.write(data)
    return digest, len(data)


def diff_id(source):
    """SHA-256 of what all gzip members of the file hold."""
    digest, inflater = hashlib.sha256(), zlib.decompressobj(31)
    while chunk := source.read(CHUNK):
        while chunk:
            digest.update(inflater.decompress(chunk))
            chunk = inflater.unused_data
            if inflater.eof:
                inflater = zlib.decompressobj(31)
    return "sha256:" + digest.hexdigest()


with open(path, "rb") as source:
    compressed = source.read(2) == b"\x1f\x8b"
    source.seek(0)
    digest = "sha256:" + hashlib.file_digest(source, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else None
    if digest is None:
        source.seek(0)
        whole = hashlib.sha256()
        while chunk := source.read(CHUNK):
            whole.update(chunk)
        digest = "sha256:" + whole.hexdigest()
    source.seek(0)
    uncompressed = diff_id(source) if compressed else digest
size = os.path.getsize(path)
if not os.path.exists(blob(digest)):
    try:
        os.link(path, blob(digest))
    except OSError:
        import shutil
        shutil.copyfile(path, blob(digest))

index_path = os.path.join(layout, "index.json")
with open(index_path, "rb") as file:
    index = json.load(file)
entry = next(m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == tag)
manifest = load(entry["digest"])
config = load(manifest["config"]["digest"])
# umoci writes null for an empty list.
config["rootfs"]["diff_ids"] = (config["rootfs"].get("diff_ids") or []) + [uncompressed]
config["history"] = (config.get("history") or []) + [{"created_by": "add_layer " + os.path.basename(path)}]
manifest["config"]["digest"], manifest["config"]["size"] = store(config)
manifest["layers"] = (manifest.get("layers") or []) + [{
    "mediaType": "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if compressed else ""),
    "digest": digest,
    "size": size,
}]
entry["digest"], entry["size"] = store(manifest)
with open(index_path + ".new", "w") as file:
    json.dump(index, file)
os.rename(index_path + ".new", index_path)
