#!/usr/bin/env python3
"""Makes the layers in this folder, from which soci made the zTOCs whose digests are in ztocs.txt.

They are committed because another zlib packs them differently. Run it only to add one, then let the real soci say what
its zTOC is: `make test-matrix` runs `soci create` on every layer here and compares with ztocs.txt, which names for each
layer a span length and the digest (soci 0.4.1 of Debian trixie, TZ=UTC, tool identifier "AWS SOCI CLI v0.1").
"""
import os
import random
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def octal(value, length):
    return b"%0*o\0" % (length - 1, value)


def base256(value, length):
    return (value % (1 << (8 * length)) | 1 << (8 * length - 1)).to_bytes(length, "big")


def header(name, kind=b"0", size=0, mode=0o644, uid=0, gid=0, mtime=1600000000, link=b"", user=b"root", group=b"root",
           major=0, minor=0, magic=b"ustar\x0000", prefix=b"", tail=b""):
    def field(value, length):
        return value if isinstance(value, bytes) else octal(value, length)
    block = bytearray(512)
    def put(offset, value):
        block[offset:offset + len(value)] = value
    put(0, name); put(100, field(mode, 8)); put(108, field(uid, 8)); put(116, field(gid, 8)); put(124, field(size, 12))
    put(136, field(mtime, 12)); put(148, b" " * 8); put(156, kind); put(157, link); put(257, magic)
    if magic:
        put(265, user); put(297, group); put(329, field(major, 8)); put(337, field(minor, 8)); put(345, prefix)
    put(512 - len(tail), tail)
    put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + len(str(len(body)))
    if len(str(length)) + len(body) != length:
        length += 1
    return str(length).encode() + body


def pax(*records):
    data = b"".join(record(key, value) for key, value in records)
    return header(b"PaxHeaders/entry", b"x", len(data)) + padded(data)


def gnu_long(kind, text):
    return header(b"././@LongLink", kind, len(text) + 1, magic=b"ustar  \0") + padded(text + b"\0")


def file(name, data, **more):
    return header(name, size=len(data), **more) + padded(data)


def features():
    """Every way to say something in a tar that soci takes."""
    gnu = b"ustar  \0"
    long = b"long/" + b"n" * 120 + b"/" + b"m" * 120
    yield header(b"./", b"5", mode=0o755)
    yield header(b"dir/", b"5", mode=0o41777, user=b"somebody", group=b"staff", uid=1000, gid=50)
    yield file(b"dir/file", b"content\n", mode=0o100644)
    yield header(b"dir/hard", b"1", link=b"dir/file")
    yield header(b"dir/hard-with-size", b"1", link=b"dir/file", size=8)
    yield header(b"dir-with-size/", b"5", size=4096, mode=0o700)
    yield header(b"dir/soft", b"2", link=b"../dir/file", mode=0o777)
    yield header(b"null", b"3", major=1, minor=3, mode=0o666)
    yield header(b"disk", b"4", major=8, minor=1, mode=0o660)
    yield header(b"fifo", b"6", mode=0o600)
    yield header(b"old/", b"\0", magic=b"", mode=0o755)
    yield file(b"old/file", b"seventh edition", kind=b"\0", magic=b"")
    yield file(b"caf\xe9-\xff\xfe", b"not UTF-8", user=b"\xe9", group=b"\xff")
    yield file(b"file-in-prefix", b"p", prefix=b"some/where")
    yield file(b"star", b"*", prefix=b"in/star", tail=b"tar\0")
    yield gnu_long(b"L", long) + file(long[:100], b"gnu", magic=gnu)
    yield gnu_long(b"K", long) + header(b"to-long", b"2", link=long[:100], magic=gnu)
    yield gnu_long(b"L", long + b"2") + gnu_long(b"K", b"/" + long) + header(b"x", b"1", link=b"y", magic=gnu)
    yield pax((b"path", b"pax/" + long)) + file(b"short", b"pax")
    yield pax((b"linkpath", long)) + header(b"pax-link", b"2", link=b"short")
    yield pax((b"SCHILY.xattr.security.capability", bytes.fromhex("0100000200200000000000000000000000000000")),
              (b"SCHILY.xattr.user.binary", bytes(range(256))), (b"SCHILY.xattr.user.empty", b""),
              (b"SCHILY.xattr.user.\xff", b"name"), (b"mtime", b"1600000000.123456789"), (b"atime", b"1600000001.5"),
              (b"uname", b"pax-user-with-a-name-longer-than-thirty-two-bytes"), (b"gname", b"\xc3\xa9quipe"),
              (b"uid", b"4294967294"), (b"gid", b"40000"), (b"comment", b"anything\nat all")) + file(b"xattrs", b"x")
    yield pax((b"comment", b"first"), (b"comment", b"last wins"), (b"path", b"")) + file(b"empty-path-record", b"e")
    yield pax((b"size", b"3")) + header(b"size-in-pax", size=0) + padded(b"abc")
    yield pax((b"mtime", b"-1.25")) + file(b"before-1970", b"1")
    yield pax((b"mtime", b"253402300800")) + file(b"year-10000", b"2")
    yield pax((b"mtime", b"-62167219200")) + file(b"year-0", b"3")
    yield pax((b"mtime", b"-62167219201")) + file(b"year-minus-1", b"4")
    yield pax((b"mtime", b"1600000000.5000")) + file(b"half-a-second", b"5")
    yield file(b"mtime-0", b"6", mtime=0)
    yield file(b"base-256", b"7", uid=base256(1 << 31, 8), gid=base256(3000000, 8), mtime=base256(-86400, 12), magic=gnu)
    yield file(b"uid-minus-1", b"8", uid=base256(-1, 8), magic=gnu)
    yield file(b"spaces", b"9", mode=b" 644 \0  ", uid=b"   12 \0 ")
    yield header(b".wh.gone") + header(b"dir/.wh..wh..opq")
    sparse_map = b"2\n0\n3\n4096\n3\n"
    yield (pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"sparse-1.0"),
               (b"GNU.sparse.realsize", b"8192"))
           + header(b"GNUSparseFile.0/sparse", size=512 + 6) + padded(sparse_map) + padded(b"abcdef"))
    yield (pax((b"GNU.sparse.size", b"8192"), (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.name", b"sparse-0.1"),
               (b"GNU.sparse.map", b"0,3,4096,3"))
           + file(b"GNUSparseFile.0/sparse", b"abcdef"))
    yield (pax((b"GNU.sparse.size", b"8192"), (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.offset", b"0"), (b"GNU.sparse.numbytes", b"3"),
               (b"GNU.sparse.offset", b"4096"), (b"GNU.sparse.numbytes", b"3")) + file(b"sparse-0.0", b"abcdef"))
    yield file(b"last", b"!" * 512)


def taken():
    """The features an import can take over: not sparse format 1.0, whose map no zTOC has, and no owner -1, which we refuse in a tar."""
    return [part for part in features() if b"sparse-1.0" not in part and b"uid-minus-1" not in part]


def text(length, seed):
    words = [bytes(random.Random(seed + i).choices(b"abcdefghijklmnop ", k=9)) for i in range(64)]
    chooser = random.Random(seed)
    return b"".join(chooser.choice(words) for _ in range(length // 9 + 1))[:length]


def files(count, length, seed):
    for i in range(count):
        yield file(b"files/%03d" % i, text(length + 37 * i, seed + i))


END = bytes(1024)


def gzip(data, name=None, flush_first=False, memory=9, level=9, cut=None):
    """One member. memory=1 makes a block of every 127 symbols; flush_first starts with an empty one; cut flushes now and then."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
    out = b"\x1f\x8b\x08" + bytes([8 if name else 0]) + bytes(4) + b"\x00\xff" + (name + b"\0" if name else b"")
    if flush_first:
        out += packer.flush(zlib.Z_SYNC_FLUSH)
    for start in range(0, len(data), cut or max(len(data), 1)):
        out += packer.compress(data[start:start + (cut or len(data))])
        if cut:
            out += packer.flush(zlib.Z_FULL_FLUSH)
    return out + packer.flush() + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def main():
    everything = b"".join(features()) + END
    many = b"".join(files(24, 3000, 1)) + END
    layers = {
        "features.tar.gz": gzip(everything, name=b"features.tar", memory=1),
        "taken.tar.gz": gzip(b"".join(taken()) + END, memory=1),
        "spans.tar.gz": gzip(many, memory=1),
        "empty-block-first.tar.gz": gzip(b"".join(files(12, 3000, 2)) + END, flush_first=True, memory=1, cut=20000),
        "zeros-behind.tar.gz": gzip(b"".join(files(4, 3000, 3)) + END + bytes(100000), cut=10000),
        "unterminated.tar.gz": gzip(b"".join(files(3, 3000, 4))),
        "empty.tar.gz": gzip(END),
        "plain.tar": b"".join(files(3, 700, 5)) + END + bytes(1024),
        # Of these soci 0.4.1 sees the first member only; what later versions see is tested with their C code.
        "members.tar.gz": gzip(many[:40000], memory=1) + gzip(b"") + gzip(many[40000:], name=b"second", memory=1),
        # Of these soci makes no zTOC.
        "global-header.tar.gz": gzip(header(b"pax_global_header", b"g", 20) + padded(record(b"comment", b"from git")) + file(b"a", b"a") + END),
        "contiguous.tar.gz": gzip(file(b"contiguous", b"c", kind=b"7") + END),
        "link-with-data.tar.gz": gzip(file(b"file", b"data") + file(b"link", b"data", kind=b"1", link=b"file") + END),
    }
    for name, layer in layers.items():
        with open(os.path.join(HERE, name), "wb") as output:
            output.write(layer)
        print(name, len(layer), file=sys.stderr)


main()
