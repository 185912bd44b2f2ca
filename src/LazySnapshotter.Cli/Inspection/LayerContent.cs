using System.Security.Cryptography;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Inspection;

// Reads a little of a file of a layer straight from wherever the layer lies: the spans that hold it, their digests
// checked, nothing kept. For a look at an executable's header; a mount has a reader with a cache.
internal static class LayerContent
{
    /// <exception cref="IOException">The layer cannot be read.</exception>
    /// <exception cref="InvalidDataException">A span is not what the index says.</exception>
    public static async Task<byte[]> ReadStartAsync(
        LayerIndex index, IBlobReader blob, int entry, int lengthMax, CancellationToken cancellationToken)
    {
        var content = new byte[Math.Min(index.Toc[entry].Size, lengthMax)];
        var decoder = new SpanDecoder(index);
        using var history = SpanHistory.Rent();
        foreach (var extent in index.Toc.Extents(entry))
        {
            var length = Math.Min(extent.Length, content.Length - extent.FileOffset);
            if (length <= 0)
                break;
            for (var span = index.Spans[index.Spans.RunStart(
                index.Spans.Find(extent.UncompressedOffset))]; ; span = index.Spans[new SpanId(span.Id.Value + 1)])
            {
                var bytes = await DecodeAsync(index, decoder, history, blob, span, cancellationToken);
                if (span.UncompressedEnd <= extent.UncompressedOffset)
                    continue;
                var start = Math.Max(span.UncompressedOffset, extent.UncompressedOffset);
                var end = Math.Min(span.UncompressedEnd, extent.UncompressedOffset + length);
                bytes.AsSpan((int)(start - span.UncompressedOffset), (int)(end - start))
                    .CopyTo(content.AsSpan((int)(extent.FileOffset + start - extent.UncompressedOffset)));
                if (span.UncompressedEnd >= extent.UncompressedOffset + length)
                    break;
            }
        }

        return content;
    }

    private static async Task<byte[]> DecodeAsync(
        LayerIndex index, SpanDecoder decoder, SpanHistory history, IBlobReader blob, LayerSpan span, CancellationToken cancellationToken)
    {
        var compressed = new byte[span.CompressedLength];
        await using (var stream = await blob.OpenExactRangeAsync(
            span.CompressedOffset, span.CompressedLength, ReadPriority.Demanded(), cancellationToken))
            await stream.ReadExactlyAsync(compressed, cancellationToken);
        if (!SHA256.HashData(compressed).AsSpan().SequenceEqual(index.Spans.DigestOf(span.Id)))
            throw new InvalidDataException($"{index.LayerDigest}: the bytes of span {span.Id} do not have the digest the index says");
        if (!decoder.IsReady(span.Id))
            await decoder.PrepareAsync(span.Id, cancellationToken);
        var bytes = new byte[span.UncompressedLength];
        decoder.Decode(span.Id, history, compressed, bytes);
        return bytes;
    }
}
