namespace LazySnapshotter.TestSupport.Trees;

// What two trees are compared in.
[Flags]
public enum TreeAspects
{
    /// <summary>Which paths there are, and what kind of file each is. Always compared.</summary>
    None = 0,

    /// <summary>Permission bits, setuid, setgid, sticky.</summary>
    Mode = 1,
    Owner = 2,

    /// <summary>To the nanosecond.</summary>
    ModificationTime = 4,

    /// <summary>Of files and links; a directory's is its filesystem's affair.</summary>
    Size = 8,
    LinkTarget = 16,

    /// <summary>Which names are names of one file.</summary>
    HardLinks = 32,

    /// <summary>st_nlink of everything but directories.</summary>
    LinkCount = 64,
    DeviceNumber = 128,
    Xattrs = 256,
    Content = 512,

    All = Mode | Owner | ModificationTime | Size | LinkTarget | HardLinks | LinkCount | DeviceNumber | Xattrs | Content,
}
