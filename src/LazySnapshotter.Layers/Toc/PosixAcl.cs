using System.Buffers.Binary;

namespace LazySnapshotter.Layers.Toc;

// A POSIX ACL as the kernel keeps one: the value of system.posix_acl_access or _default (linux/posix_acl_xattr.h), checked as
// setxattr(2) checks it (its posix_acl_from_xattr and posix_acl_valid).
//
//   0: | version = 2 (4) |, then for each entry | tag (2) | permissions (2) | id (4) |
//
// Entries come in the order of their tags; only named users and groups have an id.
public sealed class PosixAcl
{
    private const uint Version = 2;
    private const int HeaderLength = 4;
    private const int EntryLength = 8;
    private const uint NoId = uint.MaxValue;
    private const ushort PermissionMask = 7;

    private enum Tag : ushort
    {
        Owner = 0x01,
        User = 0x02,
        OwningGroup = 0x04,
        Group = 0x08,
        Mask = 0x10,
        Other = 0x20,
    }

    private readonly record struct Entry(Tag Tag, ushort Permissions, uint Id);

    private readonly Entry[] _entries;

    private PosixAcl(Entry[] entries) => _entries = entries;

    /// <summary>Whether the mode says it all, so that no filesystem would keep it beside the mode.</summary>
    public bool IsMinimal => Array.TrueForAll(_entries, entry => entry.Tag is Tag.Owner or Tag.OwningGroup or Tag.Other);

    /// <summary>What setxattr(2) makes of a value: whether it is taken at all.</summary>
    /// <param name="acl">The list; null where there is none any more.</param>
    /// <exception cref="InvalidDataException">The kernel refuses it (EINVAL).</exception>
    public static bool TryParse(ReadOnlySpan<byte> value, out PosixAcl? acl)
    {
        acl = null;
        if (value.IsEmpty)
            return true;
        if (value.Length < HeaderLength)
            throw new InvalidDataException($"a POSIX ACL of {value.Length} bytes has no header");
        if (BinaryPrimitives.ReadUInt32LittleEndian(value) != Version)
            return false; // EOPNOTSUPP, which containerd goes past
        if ((value.Length - HeaderLength) % EntryLength != 0)
            throw new InvalidDataException($"a POSIX ACL of {value.Length} bytes ends inside an entry");

        var entries = new Entry[(value.Length - HeaderLength) / EntryLength];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = ReadEntry(value[(HeaderLength + i * EntryLength)..]);
        if (entries.Length == 0)
            return true;
        if (!IsInOrder(entries))
            throw new InvalidDataException("a POSIX ACL whose entries are not complete and in order");
        acl = new PosixAcl(entries);
        return true;
    }

    /// <summary>A list that has been kept, and so is a valid one.</summary>
    public static PosixAcl Read(ReadOnlySpan<byte> kept) =>
        TryParse(kept, out var acl) && acl is not null ? acl : throw new InvalidDataException("a POSIX ACL that was kept without entries");

    /// <summary>What chmod(2) makes of it, or the creation of a file below a directory whose default it is.</summary>
    public PosixAcl WithMode(uint mode)
    {
        var hasMask = Array.Exists(_entries, entry => entry.Tag == Tag.Mask);
        return new PosixAcl(Array.ConvertAll(_entries, entry => entry.Tag switch
        {
            Tag.Owner => entry with { Permissions = (ushort)(mode >> 6 & PermissionMask) },
            Tag.Mask => entry with { Permissions = (ushort)(mode >> 3 & PermissionMask) },
            Tag.OwningGroup when !hasMask => entry with { Permissions = (ushort)(mode >> 3 & PermissionMask) },
            Tag.Other => entry with { Permissions = (ushort)(mode & PermissionMask) },
            _ => entry,
        }));
    }

    /// <summary>As getxattr(2) gives it.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderLength + _entries.Length * EntryLength];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Version);
        for (var i = 0; i < _entries.Length; i++)
        {
            var entry = bytes.AsSpan(HeaderLength + i * EntryLength);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)_entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], _entries[i].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], _entries[i].Id);
        }

        return bytes;
    }

    private static Entry ReadEntry(ReadOnlySpan<byte> bytes)
    {
        var tag = (Tag)BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        var permissions = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        var id = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        var isNamed = tag is Tag.User or Tag.Group;
        if (permissions > PermissionMask || (isNamed && id == NoId))
            throw new InvalidDataException($"a POSIX ACL entry with permissions 0x{permissions:x} for id {id} is not valid");
        return new Entry(tag, permissions, isNamed ? id : NoId);
    }

    // Owner, users, owning group, groups, mask, other. The mask may be left out where nobody is named.
    private static bool IsInOrder(Entry[] entries)
    {
        var next = Tag.Owner;
        var needsMask = false;
        foreach (var entry in entries)
        {
            switch (entry.Tag)
            {
                case Tag.Owner when next == Tag.Owner:
                    next = Tag.User;
                    break;
                case Tag.User when next == Tag.User:
                case Tag.Group when next == Tag.Group:
                    needsMask = true;
                    break;
                case Tag.OwningGroup when next == Tag.User:
                    next = Tag.Group;
                    break;
                case Tag.Mask when next == Tag.Group:
                    next = Tag.Other;
                    break;
                case Tag.Other when next == Tag.Other || (next == Tag.Group && !needsMask):
                    next = default; // nothing may follow
                    break;
                default:
                    return false;
            }
        }

        return next == default;
    }
}
