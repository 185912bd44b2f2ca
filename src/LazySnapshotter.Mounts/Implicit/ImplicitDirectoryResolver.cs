using System.Globalization;
using LazySnapshotter.Layers;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Mounts.Implicit;

// Finds what a layer's implicit directories look like in the layers below, as containerd's unpacking does (its
// pkg/archive, mkparent): the nearest layer that has the path decides; if it is no directory there, nothing is
// inherited; trusted.* attributes are left behind. Lower layers are looked at through the filesystem, so it does not
// matter whether they are lazy or unpacked. Symbolic links in them cannot lead out of them. Where unpacking fails, or depends
// on an order of entries that a TOC does not keep, the layer is not served: containerd then has the last word.
internal static class ImplicitDirectoryResolver
{
    private const uint SetGroupId = 0x400; // 02000

    /// <param name="lowerDirectories">Nearest first.</param>
    /// <exception cref="UnsupportedLayerException">Above these layers, containerd would have to unpack it, or refuse it.</exception>
    public static ImplicitDirectories Resolve(LayerToc toc, IReadOnlyList<string> lowerDirectories)
    {
        if (lowerDirectories.Count == 0)
        {
            RefuseOpaqueAboveImplicit(toc);
            return HasWhiteouts(toc) ? ImplicitDirectories.Lowest : ImplicitDirectories.None;
        }

        if (toc.ImplicitDirectories.Count == 0 && toc.LateDirectories.Count == 0)
            return ImplicitDirectories.None;

        var roots = new List<LinuxFileHandle>();
        try
        {
            foreach (var directory in lowerDirectories)
                roots.Add(Libc.Open(directory, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY));

            var inherited = new Dictionary<int, InheritedDirectory>();
            foreach (var entry in toc.ImplicitDirectories)
            {
                // The root of a snapshot belongs to the snapshot, not to the layer.
                if (entry != 0 && Find(toc, entry, roots) is { } found)
                    inherited.Add(entry, found);
            }

            GiveGroups(inherited, toc);

            foreach (var entry in toc.LateDirectories)
            {
                if (Find(toc, entry, roots) is { } found && XattrsOnly(toc, entry, found) is { Xattrs.Count: > 0 } late)
                    inherited.Add(entry, late);
            }

            InheritedAcls.AddTo(inherited, toc);
            return ImplicitDirectories.From(inherited);
        }
        finally
        {
            roots.ForEach(root => root.Dispose());
        }
    }

    // Made by mkdir(2) in a directory that had been given mode and owner: a set-group-ID directory gives its group on.
    private static void GiveGroups(Dictionary<int, InheritedDirectory> inherited, LayerToc toc)
    {
        foreach (var (directory, parent) in inherited.Where(pair => (pair.Value.Mode & SetGroupId) != 0).ToList())
        {
            for (var position = 0; position < toc.ChildCount(directory); position++)
            {
                var child = toc.ChildEntry(directory, position);
                if (toc[child].IsImplicit && !inherited.ContainsKey(child))
                    inherited.Add(child, InheritedAcls.OfOwn(toc[child], []) with { Gid = parent.Gid });
            }
        }
    }

    // In the lowest layer containerd takes an opaque marker for an order to remove what no header has named so far.
    private static void RefuseOpaqueAboveImplicit(LayerToc toc)
    {
        if (toc.ImplicitDirectories.Count == 0 && toc.LateDirectories.Count == 0)
            return;
        foreach (var (directory, _) in toc.EntriesWithXattrs)
        {
            if (toc.IsOpaque(directory) && ImplicitBelow(toc, directory) is { } below)
            {
                throw new UnsupportedLayerException(
                    $"opaque marker in {toc.DisplayPathOf(directory)} of a lowest layer, whose tar leaves out {toc.DisplayPathOf(below)}");
            }
        }
    }

    private static int? ImplicitBelow(LayerToc toc, int directory)
    {
        var pending = new Stack<int>([directory]);
        while (pending.TryPop(out directory))
        {
            for (var position = 0; position < toc.ChildCount(directory); position++)
            {
                var child = toc.ChildEntry(directory, position);
                if (toc[child].IsImplicit || toc[child].IsNamedLate)
                    return child;
                if (toc[child].Type == TocEntryType.Directory)
                    pending.Push(child);
            }
        }

        return null;
    }

    // The header came later: what it says wins, and its mode goes into an ACL from below.
    private static InheritedDirectory XattrsOnly(LayerToc toc, int entry, InheritedDirectory found)
    {
        var own = toc.Xattrs(entry);
        var xattrs = new List<TocXattr>();
        foreach (var xattr in found.Xattrs.Where(xattr => InheritedDirectory.ValueOf(own, xattr.Name.Span) is null))
        {
            var isAcl = xattr.Name.Span.SequenceEqual("system.posix_acl_access"u8);
            xattrs.Add(isAcl && PosixAcl.TryParse(xattr.Value.Span, out var acl) && acl is not null
                ? xattr with { Value = acl.WithMode(toc[entry].Mode).ToBytes() }
                : xattr);
        }

        return InheritedAcls.OfOwn(toc[entry], xattrs);
    }

    private static bool HasWhiteouts(LayerToc toc)
    {
        for (var entry = 0; entry < toc.Count; entry++)
        {
            if (toc[entry].IsWhiteout)
                return true;
        }

        return false;
    }

    private static InheritedDirectory? Find(LayerToc toc, int entry, List<LinuxFileHandle> roots)
    {
        var path = toc.PathOf(entry);
        foreach (var root in roots)
        {
            switch (Libc.TryOpenInRoot(root, path.AsSpan(), out var opened))
            {
                case Errno.None:
                    using (opened)
                        return Describe(opened!);
                case Errno.ENOENT:
                    continue;
                case var errno: // a file or a whiteout on the way, a loop of links: containerd gives up
                    throw new UnsupportedLayerException(
                        $"the tar leaves out {toc.DisplayPathOf(entry)}, which in a layer below cannot be looked at: {errno}");
            }
        }

        return null;
    }

    private static InheritedDirectory? Describe(LinuxFileHandle opened)
    {
        // An O_PATH descriptor has no fgetxattr(2), but a path in /proc; "/." behind it is ENOTDIR for all but directories.
        LinuxPath path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{opened.Descriptor}/.");
        if (Libc.TryGetStatus(path, out var status) != Errno.None)
            return null;

        var xattrs = new List<TocXattr>();
        foreach (var name in Libc.ListXattrs(path))
        {
            if (!name.AsSpan().StartsWith("trusted."u8) && Libc.GetXattr(path, name.AsSpan()) is { } value)
                xattrs.Add(new TocXattr(name, value));
        }

        return new InheritedDirectory(
            status.Mode & ModeBits.PermissionMask, status.Uid, status.Gid, status.ModifiedSeconds, status.ModifiedNanoseconds, xattrs);
    }
}
