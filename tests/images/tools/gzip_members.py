"""Compresses a file as two gzip members with every optional header field: gzip_members.py SOURCE TARGET (RFC 1952, 2.3)."""
import struct
import sys
import zlib

source, target = sys.argv[1:]


def member(data, level, name, comment):
    FHCRC, FEXTRA, FNAME, FCOMMENT = 2, 4, 8, 16
    extra = b"LZ\x04\x00ABCD"
    header = b"\x1f\x8b\x08" + struct.pack("<BIBB", FHCRC | FEXTRA | FNAME | FCOMMENT, 1700000000, 0, 3)
    header += struct.pack("<H", len(extra)) + extra + name + b"\0" + comment + b"\0"
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return header + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


with open(source, "rb") as file:
    data = file.read()
# Not at a multiple of 512: a tar header may straddle two members.
middle = len(data) // 2 + 100
with open(target, "wb") as file:
    file.write(member(data[:middle], 6, b"first.tar", b"the first half"))
    file.write(member(b"", 6, b"nothing", b"a member without content"))
    file.write(member(data[middle:], 1, b"second.tar", b"the second half"))
