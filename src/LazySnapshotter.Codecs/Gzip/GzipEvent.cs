namespace LazySnapshotter.Codecs.Gzip;

internal enum GzipEventKind
{
    /// <summary>A block starts; Value is its first bit in the blob.</summary>
    BlockStart,

    /// <summary>As BlockStart, with no output of the member before it: there is nothing to refer back to.</summary>
    MemberStart,

    /// <summary>A symbol has ended, and the block goes on; Value is the first bit behind it.</summary>
    Mark,

    /// <summary>The block that started last has ended; Value is how many bytes of it are copies from before it.</summary>
    BlockEnd,

    /// <summary>A member's trailer was read. Value is where the member started in the blob.</summary>
    MemberEnd,
}

/// <summary>Something that happened while a <see cref="GzipChunk"/> was filled.</summary>
/// <param name="Position">How much of the chunk's output was there.</param>
/// <param name="CompressedOffset">How much of the blob was read.</param>
/// <param name="Crc">At a member's end: what its trailer says.</param>
/// <param name="Length">At a member's end: what its trailer says, modulo 2^32.</param>
internal readonly record struct GzipEvent(
    GzipEventKind Kind, int Position, long CompressedOffset, long Value, uint Crc = 0, uint Length = 0);
