namespace LazySnapshotter.Layers.Toc;

// What an entry of a layer is. The values are stored in index files.
public enum TocEntryType
{
    Directory = 0,
    File = 1,
    SymbolicLink = 2,

    /// <summary>Also a whiteout, as overlayfs wants it: device 0:0 under the name of what is gone.</summary>
    CharacterDevice = 3,
    BlockDevice = 4,
    Fifo = 5,
}
