namespace LazySnapshotter.Codecs.Inflate;

// Finds out which bytes of a checkpoint's window the blocks behind it refer to. Matches reach back 32 KiB at most, so
// nothing behind the first 32 KiB of output can refer to the window, and what is copied from a byte that was
// itself copied refers to where that one came from, which is marked already.
internal static class WindowMarker
{
    /// <summary>Words of a set with a bit for each byte of the longest window.</summary>
    public const int WordCount = Inflater.WindowLengthMax / 64;

    [ThreadStatic]
    private static Inflater? _inflater;

    /// <summary>Marks the referenced bytes; false if the data is corrupt or ends before that is known of all.</summary>
    /// <param name="compressed">From the checkpoint's first byte on; more than is needed does no harm.</param>
    /// <param name="bitOffset">Where in that byte the checkpoint is.</param>
    /// <param name="referenced">Bit i of the set is byte i of the window; lowest bit first. What is set stays set.</param>
    public static bool Mark(ReadOnlySpan<byte> compressed, int bitOffset, ReadOnlySpan<byte> window, Span<ulong> referenced) =>
        (_inflater ??= new Inflater()).MarkReferences(compressed, bitOffset, window, referenced);
}
