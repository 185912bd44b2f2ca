using System.Buffers.Binary;
using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Toc;

// Which extended attributes are on the disk when containerd has unpacked an entry, and with what value. It sets what the tar
// has by setxattr(2) (xattr(7)): it leaves trusted.* out itself, goes past what the kernel does not support (namespaces it does
// not know, ACLs on symbolic links) or allow (user.* on anything but files and directories), and fails where the kernel
// finds fault with a name or a value. Around that, chown(2), chmod(2) and the creation itself change attributes, too.
internal static class TocXattrPolicy
{
    // linux/capability.h, vfs_ns_cap_data: revision and flags (4), two or four more words, with revision 3 a user id.
    private const uint CapabilityRevision2 = 0x02000000;
    private const uint CapabilityRevision3 = 0x03000000;
    private const uint CapabilityFlagEffective = 1;
    private const int CapabilityRevision2Length = 20;
    private const int CapabilityRevision3Length = 24;

    public static ReadOnlyMemory<byte> AccessAcl { get; } = "system.posix_acl_access"u8.ToArray();

    public static ReadOnlyMemory<byte> DefaultAcl { get; } = "system.posix_acl_default"u8.ToArray();

    private static ReadOnlySpan<byte> Capability => "security.capability"u8;

    /// <summary>The attributes of an entry just created in a directory: what the directory's default ACL gives it.</summary>
    public static int OfNew(TocXattrSets sets, int directorySet, TocEntryType type, uint mode)
    {
        if (type == TocEntryType.SymbolicLink || sets.Find(directorySet, DefaultAcl.Span) is not { } value)
            return TocTree.None;
        var xattrs = new List<TocXattr>();
        if (PosixAcl.Read(value.Span) is { IsMinimal: false } acl)
            xattrs.Add(new TocXattr(AccessAcl, acl.WithMode(mode).ToBytes()));
        if (type == TocEntryType.Directory)
            xattrs.Add(new TocXattr(DefaultAcl, value));
        return sets.NumberOf(xattrs);
    }

    /// <summary>What becomes of a set when containerd applies another header to its entry: chown(2), setxattr(2) each, chmod(2).</summary>
    /// <exception cref="InvalidDataException">The kernel refuses one of them, so that containerd gives up.</exception>
    public static int Apply(TocXattrSets sets, int set, TocEntryType type, uint mode, IReadOnlyList<TarXattr> added)
    {
        if (set < 0 && added.Count == 0)
            return set;

        var xattrs = sets.CopyOf(set);
        if (type != TocEntryType.Directory)
            Remove(xattrs, Capability); // by chown
        foreach (var xattr in added)
            Set(xattrs, type, xattr);
        var access = xattrs.FindIndex(xattr => xattr.Name.Span.SequenceEqual(AccessAcl.Span));
        if (access >= 0)
            xattrs[access] = new TocXattr(AccessAcl, PosixAcl.Read(xattrs[access].Value.Span).WithMode(mode).ToBytes()); // by chmod
        return sets.NumberOf(xattrs);
    }

    private static void Set(List<TocXattr> xattrs, TocEntryType type, TarXattr xattr)
    {
        var name = xattr.Name.AsSpan();
        if (name.SequenceEqual(AccessAcl.Span) || name.SequenceEqual(DefaultAcl.Span))
            SetAcl(xattrs, type, name.SequenceEqual(DefaultAcl.Span), xattr.Value);
        else if (name.SequenceEqual("user."u8) || name.SequenceEqual("security."u8))
            throw new InvalidDataException($"the xattr {TarPath.Display(xattr.Name)} has no name behind its namespace");
        else if (name.SequenceEqual(Capability) && !IsCapability(xattr.Value))
            throw new InvalidDataException($"a file capability of {xattr.Value.Length} bytes is not valid");
        else if (name.StartsWith("user."u8) ? type is TocEntryType.File or TocEntryType.Directory : name.StartsWith("security."u8))
            Put(xattrs, new TocXattr(xattr.Name, xattr.Value));
    }

    private static void SetAcl(List<TocXattr> xattrs, TocEntryType type, bool isDefault, byte[] value)
    {
        if (!PosixAcl.TryParse(value, out var acl) || type == TocEntryType.SymbolicLink)
            return;
        if (isDefault && acl is not null && type != TocEntryType.Directory)
            throw new InvalidDataException("a default POSIX ACL on something that is no directory");
        var name = isDefault ? DefaultAcl : AccessAcl;
        if (acl is null || (acl.IsMinimal && !isDefault))
            Remove(xattrs, name.Span);
        else
            Put(xattrs, new TocXattr(name, acl.ToBytes()));
    }

    private static void Put(List<TocXattr> xattrs, TocXattr added)
    {
        Remove(xattrs, added.Name.Span);
        xattrs.Add(added);
    }

    private static void Remove(List<TocXattr> xattrs, ReadOnlySpan<byte> name)
    {
        for (var i = xattrs.Count - 1; i >= 0; i--)
        {
            if (xattrs[i].Name.Span.SequenceEqual(name))
                xattrs.RemoveAt(i);
        }
    }

    private static bool IsCapability(ReadOnlySpan<byte> value) =>
        value.Length is CapabilityRevision2Length or CapabilityRevision3Length
        && (BinaryPrimitives.ReadUInt32LittleEndian(value) & ~CapabilityFlagEffective)
            == (value.Length == CapabilityRevision2Length ? CapabilityRevision2 : CapabilityRevision3)
        && (value.Length == CapabilityRevision2Length
            || BinaryPrimitives.ReadUInt32LittleEndian(value[CapabilityRevision2Length..]) != uint.MaxValue);
}
