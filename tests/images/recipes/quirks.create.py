"""The layer of odd files: one folder per subject, each file there because some filesystem got it wrong."""
import os
import random
import shutil
import stat
import struct
import sys

root = os.fsencode(sys.argv[1])
quirks = os.path.join(root, b"quirks")
random.seed(20240101)
SECOND = 10**9


def path(name, *, parents=True):
    full = os.path.join(quirks, name)
    if parents:
        os.makedirs(os.path.dirname(full), exist_ok=True)
    return full


def write(name, data=b"content\n"):
    with open(path(name), "wb") as file:
        file.write(data)
    return path(name)


def folder(name):
    os.makedirs(path(name), exist_ok=True)
    return path(name)


def sizes():
    for size in (0, 1, 511, 512, 513, 4095, 4096, 4097, 65536, 1 << 20):
        write(b"sizes/%d" % size, random.randbytes(size))
    write(b"sizes/text", b"".join(b"line %d of a file that compresses well\n" % i for i in range(200000)))


def modes():
    for mode in (0o000, 0o444, 0o777, 0o1644, 0o7777):
        os.chmod(write(b"modes/%04o" % mode), mode)
    for name, mode in ((b"setuid", 0o4755), (b"setgid", 0o2755)):
        shutil.copyfile(os.path.join(root, b"usr/bin/id"), path(b"modes/" + name))
        os.chmod(path(b"modes/" + name), mode)
    shutil.copyfile(os.path.join(root, b"usr/bin/id"), path(b"modes/capable"))  # setcap follows in the recipe
    os.chmod(path(b"modes/capable"), 0o755)
    os.chmod(folder(b"modes/sticky"), 0o1777)
    os.chmod(folder(b"modes/group-inherits"), 0o2770)
    os.chmod(folder(b"modes/closed"), 0o000)


def owners():
    for uid, gid in ((1000, 1000), (33, 0), (65534, 65534), (2097151, 2097151), (2097152, 4294967294)):
        os.chown(write(b"owners/%d-%d" % (uid, gid)), uid, gid)
    os.symlink(b"1000-1000", path(b"owners/link"))
    os.lchown(path(b"owners/link"), 1000, 33)


def times():
    # Before 1970 and after 2262 lie outside of what containerd passes on; it stores 1970 for both.
    for name, ns in ((b"epoch", 0), (b"one-nanosecond", 1), (b"nanoseconds", 1234567890 * SECOND + 123456789),
                     (b"almost-a-second", 1600000000 * SECOND + 999999999), (b"before-1970", -500 * SECOND + 250000000),
                     (b"after-2038", (1 << 31) * SECOND + 5), (b"after-2106", (1 << 32) * SECOND + 7),
                     (b"year-2300", 10413792000 * SECOND)):
        os.utime(write(b"times/" + name), ns=(ns, ns))
    os.symlink(b"epoch", path(b"times/link"))
    os.utime(path(b"times/link"), ns=(42, 987654321 * SECOND + 42), follow_symlinks=False)
    os.utime(folder(b"times/folder"), ns=(7, 1111111111 * SECOND + 11))


def nodes():
    folder(b"nodes")
    for name, kind, major, minor in ((b"null", stat.S_IFCHR, 1, 3), (b"loop", stat.S_IFBLK, 7, 0),
                                     (b"large-numbers", stat.S_IFCHR, 4095, 0o3777777), (b"zero-major", stat.S_IFBLK, 0, 5)):
        os.mknod(path(b"nodes/" + name), kind | 0o640, os.makedev(major, minor))
    os.mkfifo(path(b"nodes/fifo"), 0o622)
    os.link(path(b"nodes/fifo"), path(b"nodes/fifo-again"))
    os.link(path(b"nodes/null"), path(b"nodes/null-again"))


def links():
    first = write(b"links/a/first", b"one file, four names\n")
    for name in (b"links/a/second", b"links/b/third", b"links/0-sorts-first"):
        os.link(first, path(name))
    targets = (b"relative", b"a/first"), (b"absolute", b"/quirks/links/a/first"), (b"dangling", b"/no/such/file"), \
        (b"folder", b"../links/b"), (b"loop-1", b"loop-2"), (b"loop-2", b"loop-1"), (b"self", b"self"), \
        (b"long", b"/long" * 700), (b"just-100", b"x" * 100), (b"not-utf8", b"\xff\xfe\xe9"), (b"dots", b"../../../../etc/passwd")
    for name, target in targets:
        os.symlink(target, path(b"links/" + name))
    os.link(path(b"links/relative"), path(b"links/relative-again"), follow_symlinks=False)
    # These are broken up by the next layer.
    for name in (b"links/break/1", b"links/break/2", b"links/break/3"):
        os.link(first, path(name)) if name[-1:] == b"3" else write(name)
    os.unlink(path(b"links/break/2"))
    os.link(path(b"links/break/1"), path(b"links/break/2"))


def xattrs():
    file, directory = write(b"xattrs/file"), folder(b"xattrs/folder")
    for target in (file, directory):
        os.setxattr(target, b"user.text", b"value")
        os.setxattr(target, b"user.empty", b"")
        os.setxattr(target, b"user.binary", bytes(range(256)))
        os.setxattr(target, "user.größe".encode(), b"\n= \x00\n")
        os.setxattr(target, b"trusted.not-from-images", b"containerd leaves this one out")
    os.setxattr(file, b"user.large", random.randbytes(2000))
    # An access control list: user 1000 may read and write (linux/posix_acl_xattr.h: version 2, tag, perm, id).
    entries = ((1, 6, 0xFFFFFFFF), (2, 6, 1000), (4, 4, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(write(b"xattrs/acl"), b"system.posix_acl_access", acl)


def names():
    for name in (b"caf\xe9", b"\xff\xfe\xfd", "käse-奶酪-🧀".encode(), "e\u0301".encode(), "\u00e9".encode(), b"new\nline",
                 b"tab\there", b"back\\slash", b"quote'\"", b" spaces ", b"-dash", b"*", b"?[a]", b"~", b"#", b"$HOME",
                 b"...", b".hidden", b".who", b"trailing.", b"UPPER", b"upper", b"\x01\x7f", b"a=b", b"100%"):
        write(b"names/" + name, name)
    for length in (98, 99, 100, 101, 154, 155, 156, 254, 255):
        write(b"names/length/" + b"n" * length)
    folder(b"names/\xe9t\xe9/\xc0")
    write(b"names/\xe9t\xe9/\xc0/\xf1", b"not UTF-8 all the way down\n")
    # Longer than any fixed field: 12 * 90 bytes of path and a name of 200.
    deep = b"names/deep"
    for level in range(12):
        deep += b"/" + (b"%02d-" % level) + b"d" * 87
    write(deep + b"/" + b"f" * 200, b"at the bottom\n")
    nested = b"nested" + b"/n" * 100
    write(nested + b"/bottom")


def sparse():
    def holes(name, size, data):
        with open(path(b"sparse/" + name), "wb") as file:
            file.truncate(size)
            for offset, content in data:
                file.seek(offset)
                file.write(content)
    holes(b"only-a-hole", 8 << 20, [])
    holes(b"hole-at-end", 4 << 20, [(0, b"start" * 1000)])
    holes(b"hole-at-start", 4 << 20, [((4 << 20) - 5000, b"end!!" * 1000)])
    holes(b"unaligned", (3 << 20) + 77, [(1000001, b"middle"), ((3 << 20) + 70, b"at end.")])
    holes(b"many", 16 << 20, [(i << 16, random.randbytes(100 + i)) for i in range(200)])


def crowd():
    for i in range(3000):
        write(b"crowd/file-%04d" % i, b"%d\n" % i if i % 10 == 0 else b"")
    for i in range(200):
        folder(b"crowd/folder-%03d" % i)


def to_be_changed():
    for name in (b"deleted-file", b"becomes-folder", b"becomes-link", b"chmodded", b"chowned", b"touched", b"appended",
                 b"replaced", b"deleted-folder/a", b"deleted-folder/b/c", b"folder-becomes-file/x", b"folder-becomes-link/x",
                 b"opaque/old-1", b"opaque/old-2", b"opaque/kept-name", b"opaque/inner/old", b"renamed/x", b"renamed/y/z",
                 b"emptied/1", b"emptied/2", b"untouched/deep/file", b"half/keep", b"half/drop", b"comes-back", b"comes-back-folder/old",
                 b"wh/.who-is-not-a-whiteout", b"twice-opaque/generation-1"):
        write(b"change/" + name, name + b" as created\n")
    os.symlink(b"untouched", path(b"change/link-becomes-folder"))
    os.symlink(b"untouched", path(b"change/deleted-link"))
    os.symlink(b"untouched", path(b"change/link-retargeted"))
    os.mkfifo(path(b"change/fifo-becomes-file"))


for subject in (sizes, modes, owners, times, nodes, links, xattrs, names, sparse, crowd, to_be_changed):
    subject()
os.utime(quirks, ns=(0, 1400000000 * SECOND + 14))
