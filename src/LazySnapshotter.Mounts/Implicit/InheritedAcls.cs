using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Mounts.Implicit;

// What a default ACL that a directory has from a layer below gives to what this layer has in the directory: unpacking makes
// those entries in a directory that has the ACL already, so that the kernel lets them inherit it (acl(5)). Inside one layer the
// TOC has done the same.
internal static class InheritedAcls
{
    private static readonly byte[] Access = "system.posix_acl_access"u8.ToArray();
    private static readonly byte[] Default = "system.posix_acl_default"u8.ToArray();

    /// <param name="inherited">What directories inherit; gains what is in them.</param>
    public static void AddTo(Dictionary<int, InheritedDirectory> inherited, LayerToc toc)
    {
        var pending = new Queue<int>(inherited.Keys.Order());
        while (pending.TryDequeue(out var directory))
        {
            if (InheritedDirectory.ValueOf(inherited[directory].Xattrs, Default) is not { } value
                || !PosixAcl.TryParse(value.Span, out var acl) || acl is null)
            {
                continue;
            }

            for (var position = 0; position < toc.ChildCount(directory); position++)
            {
                var child = toc.ChildEntry(directory, position);
                if (Give(inherited, toc, child, acl) && toc[child].Type == TocEntryType.Directory)
                    pending.Enqueue(child);
            }
        }
    }

    /// <summary>False when the entry has all of it, or takes none.</summary>
    private static bool Give(Dictionary<int, InheritedDirectory> inherited, LayerToc toc, int entry, PosixAcl acl)
    {
        var own = toc[entry];
        if (own.Type == TocEntryType.SymbolicLink || own.IsWhiteout)
            return false;

        var before = inherited.TryGetValue(entry, out var found) ? found : OfOwn(own, []);
        var shown = before.With(toc.Xattrs(entry));
        var given = new List<TocXattr>();
        if (!acl.IsMinimal && InheritedDirectory.ValueOf(shown, Access) is null)
            given.Add(new TocXattr(Access, acl.WithMode(before.Mode).ToBytes()));
        if (own.Type == TocEntryType.Directory && InheritedDirectory.ValueOf(shown, Default) is null)
            given.Add(new TocXattr(Default, acl.ToBytes()));
        if (given.Count > 0)
            inherited[entry] = before with { Xattrs = [.. before.Xattrs, .. given] };
        return given.Count > 0;
    }

    /// <summary>An entry that inherits xattrs only.</summary>
    public static InheritedDirectory OfOwn(in TocEntry entry, IReadOnlyList<TocXattr> xattrs) =>
        new(entry.Mode, entry.Uid, entry.Gid, entry.MtimeSeconds, entry.MtimeNanoseconds, xattrs);
}
