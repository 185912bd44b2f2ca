"""A tar no tool would write but every reader meets sooner or later: quirks.byhand.py TARGET.

Everything in it unpacks with containerd; what containerd makes of it is the reference.
"""
import io
import sys
import tarfile

TIME = 1300000000


def entry(name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), TIME, 0o644
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def folder(name, **fields):
    return entry(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **fields})


ustar = [
    entry("quirks/byhand/no/parents/anywhere", b"its folders are in no tar\n"),
    entry("./quirks/byhand/dot-slash", b"./\n"),
    entry("/quirks/byhand/absolute", b"/\n"),
    entry("quirks//byhand/./a/../double-slash", b"//\n"),
    # The last of several entries of one name counts.
    entry("quirks/byhand/twice", b"first\n", mode=0o600),
    entry("quirks/byhand/twice", b"second and longer\n", mode=0o640),
    entry("quirks/byhand/file-then-folder", b"first\n"),
    folder("quirks/byhand/file-then-folder/"),
    entry("quirks/byhand/file-then-folder/inside", b"second\n"),
    folder("quirks/byhand/folder-twice/", mode=0o700),
    entry("quirks/byhand/folder-twice/stays", b"stays\n"),
    folder("quirks/byhand/folder-twice/", mode=0o711, uid=5),
    # A hard link's header speaks for the inode: owner, mode and time of all its names.
    entry("quirks/byhand/link-target", b"shared\n", mode=0o600, uid=1),
    entry("quirks/byhand/link-with-own-header", type=tarfile.LNKTYPE, linkname="quirks/byhand/link-target",
          mode=0o4755, uid=2, gid=3, mtime=TIME + 1),
    entry("quirks/byhand/link-dot-slash", type=tarfile.LNKTYPE, linkname="./quirks/byhand/link-target",
          mode=0o4755, uid=2, gid=3, mtime=TIME + 1),
    # Names of users mean nothing here; numbers do.
    entry("quirks/byhand/user-names", b"uid 7, gid 8\n", uid=7, gid=8, uname="root", gname="www-data"),
    # The marker of an opaque folder may follow the entries of the folder.
    folder("quirks/change/half/"),
    entry("quirks/change/half/new", b"hides what was below\n"),
    entry("quirks/change/half/.wh..wh..opq"),
    # Whiteouts of what is there and of what never was.
    entry("quirks/change/.wh.appended"),
    entry("quirks/change/.wh.never-existed"),
    entry("quirks/byhand/new-folder/.wh.never-existed"),
    # Under a folder that no entry of this layer mentions.
    entry("quirks/crowd/folder-000/new", b"new\n"),
]
gnu = [
    entry("quirks/byhand/gnu-" + "long" * 60, b"GNU long name\n"),
    entry("quirks/byhand/gnu-link", type=tarfile.SYMTYPE, linkname="target/" * 40, mode=0o777),
    entry("quirks/byhand/gnu-base-256", b"large numbers\n", uid=4000000000, gid=3000000000, mtime=1 << 33),
]
pax = [
    entry("quirks/byhand/pax-" + "long" * 60, b"pax long name\n"),
    entry("quirks/byhand/pax-" + "x" * 50, b"pax path wins over the header's name\n", pax_headers={"path": "quirks/byhand/pax-path-wins"}),
    entry("quirks/byhand/pax-time", b"nanoseconds\n", pax_headers={"mtime": "1300000000.123456789"}),
    entry("quirks/byhand/pax-xattr", b"xattr\n", pax_headers={"SCHILY.xattr.user.by": "hand", "comment": "ignored", "VENDOR.key": "ignored"}),
]

with open(sys.argv[1], "wb") as target:
    # A global header's records must not leak into anything a file is asked for.
    target.write(tarfile.TarInfo.create_pax_global_header({"comment": "written by hand"}))
    for form, entries in ((tarfile.USTAR_FORMAT, ustar), (tarfile.GNU_FORMAT, gnu), (tarfile.PAX_FORMAT, pax)):
        for info, data in entries:
            target.write(info.tobuf(form, "utf-8", "surrogateescape"))
            target.write(data + b"\0" * (-len(data) % 512))
    # Without magic: the format of Unix V7.
    info, data = entry("quirks/byhand/v7", b"1979\n")
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[257:345] = bytes(88)
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    target.write(header + data + b"\0" * (-len(data) % 512))
    # Two blocks of zeroes end a tar; what follows is padding of some tape.
    target.write(bytes(1024) + b"not a header".ljust(512, b"!") * 19)
