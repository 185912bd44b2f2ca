namespace LazySnapshotter.Layers.Tar;

// What a tar entry makes, whatever letter says so (sparse and old regular files are files here).
internal enum TarEntryType
{
    File,
    HardLink,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,

    /// <summary>
    /// A pax global header. Its records are not applied, exactly as in containerd (Go's archive/tar hands it out as an
    /// entry of its own, whose name may be a record's, and containerd makes parent directories for it).
    /// </summary>
    GlobalHeader,
}
