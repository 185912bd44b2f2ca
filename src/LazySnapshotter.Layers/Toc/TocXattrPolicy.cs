namespace LazySnapshotter.Layers.Toc;

// Which extended attributes of a tar would have reached the disk (xattr(7)): containerd refuses trusted.*, the kernel
// takes user.* on files and directories only, POSIX ACLs on anything but symbolic links (defaults on directories
// only), and no namespace it does not know.
internal static class TocXattrPolicy
{
    public static bool Keeps(ReadOnlySpan<byte> name, TocEntryType type)
    {
        if (name.StartsWith("user."u8))
            return type is TocEntryType.File or TocEntryType.Directory && name.Length > "user.".Length;
        if (name.SequenceEqual("system.posix_acl_access"u8))
            return type != TocEntryType.SymbolicLink;
        if (name.SequenceEqual("system.posix_acl_default"u8))
            return type == TocEntryType.Directory;
        return name.StartsWith("security."u8) && name.Length > "security.".Length;
    }
}
