namespace LazySnapshotter.Layers.Tar;

// What a layer's tar may ask of us. Real layers stay far below; a tar bomb meets one of these before it takes memory.
public static class TarLimits
{
    /// <summary>Entries in one layer. The largest real images have some 500,000; the TOC takes about 100 bytes for each.</summary>
    public const int EntryCountMax = 4_000_000;

    /// <summary>
    /// PATH_MAX without the closing NUL: containerd cannot unpack a longer path, and it bounds nesting to half as many directories.
    /// </summary>
    public const int PathLengthMax = 4095;

    /// <summary>NAME_MAX.</summary>
    public const int NameLengthMax = 255;

    /// <summary>All names and link targets of a layer together; the TOC addresses them with 31 bits.</summary>
    public const int NameBytesMax = 1 << 30;

    /// <summary>One pax header, long name or long link; the bound Go's archive/tar has.</summary>
    public const int MetadataLengthMax = 1024 * 1024;

    /// <summary>Pieces of one sparse file; the bound Go's archive/tar has.</summary>
    public const int SparseExtentCountMax = 1024 * 1024;

    /// <summary>Pieces of all sparse files of a layer.</summary>
    public const int SparseExtentTotalMax = 4 * 1024 * 1024;

    /// <summary>ext4's largest file; containerd could not unpack a longer one, and offsets stay far from overflow.</summary>
    public const long FileLengthMax = 16L << 40;

    /// <summary>XATTR_NAME_MAX.</summary>
    public const int XattrNameLengthMax = 255;

    /// <summary>XATTR_SIZE_MAX, for one value.</summary>
    public const int XattrValueLengthMax = 65536;

    /// <summary>For one file; with names of 255 bytes that many still fit what listxattr(2) can answer (64 KiB).</summary>
    public const int XattrCountMax = 256;

    /// <summary>Extended attributes of a layer, each distinct set counted once.</summary>
    public const int XattrBytesMax = 256 * 1024 * 1024;

    /// <summary>Symbolic links followed on the way to one parent directory; the bound containerd has.</summary>
    public const int SymlinksFollowedMax = 255;

    /// <summary>Linux keeps 12 bits of a major device number, and 20 of a minor one.</summary>
    public const int DeviceMajorMax = (1 << 12) - 1;

    /// <inheritdoc cref="DeviceMajorMax"/>
    public const int DeviceMinorMax = (1 << 20) - 1;
}
