using LazySnapshotter.Layers.Tar;

namespace LazySnapshotter.Layers.Soci;

// How a zTOC calls what an entry is. Soci has words for all that a layer may hold, except for global headers.
internal static class ZtocEntryTypes
{
    private static readonly (TarEntryType Type, byte[] Name)[] Names =
    [
        (TarEntryType.File, "reg"u8.ToArray()),
        (TarEntryType.HardLink, "hardlink"u8.ToArray()),
        (TarEntryType.SymbolicLink, "symlink"u8.ToArray()),
        (TarEntryType.Directory, "dir"u8.ToArray()),
        (TarEntryType.CharacterDevice, "char"u8.ToArray()),
        (TarEntryType.BlockDevice, "block"u8.ToArray()),
        (TarEntryType.Fifo, "fifo"u8.ToArray()),
    ];

    /// <summary>Null if soci has no name for it.</summary>
    public static byte[]? NameOf(TarEntry entry) => Names.FirstOrDefault(pair => pair.Type == entry.Type).Name;

    public static bool TryParse(ReadOnlySpan<byte> name, out TarEntryType type)
    {
        foreach (var pair in Names)
        {
            if (name.SequenceEqual(pair.Name))
            {
                type = pair.Type;
                return true;
            }
        }

        type = default;
        return false;
    }
}
