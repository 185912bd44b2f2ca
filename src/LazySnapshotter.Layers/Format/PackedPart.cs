using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Layers.Format;

// The deflated parts of an index file, sections and windows: each one raw deflate stream that has to fill its bytes.
internal static class PackedPart
{
    /// <param name="part">Names the part in messages.</param>
    /// <returns>How many bytes came out.</returns>
    /// <exception cref="InvalidDataException">Not a deflate stream, or one that leaves stored bytes over, or is longer than there is
    /// room.</exception>
    public static int Unpack(ReadOnlySpan<byte> stored, Span<byte> unpacked, string part)
    {
        var inflater = InflaterPool.Rent();
        try
        {
            inflater.Reset();
            var step = inflater.Inflate(stored, unpacked, 0, unpacked.Length, stopAtBlocks: false);
            return step.State switch
            {
                InflateState.StreamEnd when step.Consumed == stored.Length => step.Produced,
                InflateState.StreamEnd => throw Bad(part, $"{stored.Length - step.Consumed} bytes behind the deflate stream"),
                InflateState.Corrupt => throw Bad(part, $"deflate: {inflater.Error}"),
                InflateState.OutputFull => throw Bad(part, $"unpacks to {unpacked.Length} bytes or more"),
                _ => throw Bad(part, "the deflate stream is cut short"),
            };
        }
        finally
        {
            InflaterPool.Return(inflater);
        }
    }

    private static InvalidDataException Bad(string part, string what) => new($"index, {part}: {what}");
}
