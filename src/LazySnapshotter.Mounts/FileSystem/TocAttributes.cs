using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Mounts.FileSystem;

// A TOC entry as stat(2) shows it.
internal static class TocAttributes
{
    // What ext4 says of a small directory; nothing else is known of a directory's size, and 0 confuses old tools.
    private const long DirectorySize = 4096;

    public static NodeAttributes Of(in TocEntry entry) => new()
    {
        Mode = TypeBits(entry.Type) | entry.Mode,
        Size = entry.Type == TocEntryType.Directory ? DirectorySize : entry.Size,
        LinkCount = entry.LinkCount,
        Uid = entry.Uid,
        Gid = entry.Gid,
        ModifiedSeconds = entry.MtimeSeconds,
        ModifiedNanoseconds = entry.MtimeNanoseconds,
        DeviceMajor = entry.DeviceMajor,
        DeviceMinor = entry.DeviceMinor,
    };

    /// <summary>The S_IF… bits of st_mode (inode(7)).</summary>
    public static uint TypeBits(TocEntryType type) => type switch
    {
        TocEntryType.Directory => 0x4000,
        TocEntryType.File => 0x8000,
        TocEntryType.SymbolicLink => 0xA000,
        TocEntryType.CharacterDevice => 0x2000,
        TocEntryType.BlockDevice => 0x6000,
        TocEntryType.Fifo => 0x1000,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no such type of entry"),
    };
}
