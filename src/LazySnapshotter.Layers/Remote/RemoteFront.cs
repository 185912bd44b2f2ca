using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Remote;

// Fetches an index file that is elsewhere with a single request. Its front comes first and is all that a mount needs; the
// body goes on behind it, and whoever has the front takes the rest from there. Nobody waits for that rest: with the front
// read the request becomes a prediction, so that the indexes of many layers do not hold a host's foreground places.
internal static class RemoteFront
{
    /// <returns>The front, read and checked, and the open body, of which the caller disposes.</returns>
    /// <exception cref="InvalidDataException">It is no index, damaged, or of another layer.</exception>
    /// <exception cref="IOException">It cannot be had.</exception>
    public static async Task<(FetchedFront Front, Stream Body)> OpenAsync(
        Digest layer, IBlobReader index, long length, CancellationToken cancellationToken)
    {
        if (length is < LayerIndexHeader.Length + LayerIndexFooter.Length or > LayerIndexLimits.IndexLengthMax)
            throw new InvalidDataException($"index {index.Digest}: a file of {length} bytes");

        var priority = ReadPriority.Metadata();
        var body = await index.OpenExactRangeAsync(0, length, priority, cancellationToken);
        try
        {
            var front = await ReadAsync(layer, body, length, cancellationToken);
            priority.Settle(ReadUrgency.Predicted);
            return (front, body);
        }
        catch (InvalidDataException exception)
        {
            await body.DisposeAsync();
            throw new InvalidDataException($"index {index.Digest}: {exception.Message}", exception);
        }
        catch
        {
            await body.DisposeAsync();
            throw;
        }
    }

    // How long the front is says the header, which has a checksum of its own and a limit (LayerIndexLimits.FrontLengthMax).
    private static async Task<FetchedFront> ReadAsync(Digest layer, Stream body, long length, CancellationToken cancellationToken)
    {
        var start = new byte[LayerIndexHeader.Length];
        await body.ReadExactlyAsync(start, cancellationToken);
        var header = LayerIndexHeader.Parse(start, length);
        header.CheckLayer(layer);
        var front = new byte[header.FrontLength];
        start.CopyTo(front, 0);
        await body.ReadExactlyAsync(front.AsMemory(start.Length), cancellationToken);
        return new FetchedFront(LayerIndexReader.ReadFront(front, header), front);
    }
}

/// <param name="Bytes">What it was read from.</param>
internal readonly record struct FetchedFront(LayerIndexFront Content, ReadOnlyMemory<byte> Bytes);
