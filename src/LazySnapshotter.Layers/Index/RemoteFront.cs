using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Index;

// Fetches the front of an index file that is elsewhere: with one request if it is known how long the front is, or if
// the file is small, otherwise with two.
internal static class RemoteFront
{
    /// <summary>Enough for the fronts of most layers, and not much to have asked for in vain.</summary>
    private const int ProbeLength = 128 * 1024;

    /// <summary>A hint is anybody's word: more than this is asked for only after the header was seen.</summary>
    private const int HintMax = 64 * 1024 * 1024;

    /// <returns>The front, read and checked, and the bytes that came behind it.</returns>
    public static async Task<(FetchedFront Front, ReadOnlyMemory<byte> Beyond)> FetchAsync(
        Digest layer, IBlobReader index, long length, long? frontLengthHint, CancellationToken cancellationToken)
    {
        if (length is < LayerIndexHeader.Length + LayerIndexFooter.Length or > LayerIndexLimits.IndexLengthMax)
            throw new InvalidDataException($"index {index.Digest}: a file of {length} bytes");

        var asked = frontLengthHint is >= LayerIndexHeader.Length and <= HintMax ? frontLengthHint.Value : ProbeLength;
        if (length - asked <= ProbeLength)
            asked = length; // so little more is not worth a second request
        var bytes = await ReadAsync(index, 0, asked, [], cancellationToken);
        try
        {
            var header = LayerIndexHeader.Parse(bytes.AsSpan(0, LayerIndexHeader.Length), length);
            header.CheckLayer(layer);
            if (bytes.Length < header.FrontLength)
                bytes = await ReadAsync(index, bytes.Length, header.FrontLength - bytes.Length, bytes, cancellationToken);
            var front = bytes.AsMemory(0, (int)header.FrontLength);
            return (new FetchedFront(LayerIndexReader.ReadFront(front.Span, header), front), bytes.AsMemory((int)header.FrontLength));
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"index {index.Digest}: {exception.Message}", exception);
        }
    }

    private static async Task<byte[]> ReadAsync(IBlobReader index, long offset, long length, byte[] before, CancellationToken cancellationToken)
    {
        await using var stream = await index.OpenExactRangeAsync(offset, length, ReadPriority.Metadata(), cancellationToken);
        var bytes = new byte[before.Length + length];
        before.CopyTo(bytes, 0);
        await stream.ReadExactlyAsync(bytes.AsMemory(before.Length), cancellationToken);
        return bytes;
    }
}

/// <param name="Bytes">What it was read from.</param>
internal readonly record struct FetchedFront(LayerIndexFront Content, ReadOnlyMemory<byte> Bytes);
