using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Mounts.Implicit;

// What an implicit directory takes from the same directory in a layer below. Mode holds the permission bits only.
internal sealed record InheritedDirectory(
    uint Mode, uint Uid, uint Gid, long MtimeSeconds, uint MtimeNanoseconds, IReadOnlyList<TocXattr> Xattrs);
