using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Index;

// An index file with all its checksums in order that says something else of a layer than is so.
internal static class LyingIndex
{
    public static (long[] Bits, long[] Offsets, byte[] Digests) Columns(SpanTable spans)
    {
        var ids = Enumerable.Range(0, spans.Count).Select(i => new SpanId(i)).ToList();
        return ([.. ids.Select(spans.StartBit)], [.. ids.Select(id => spans[id].UncompressedOffset)],
            [.. ids.SelectMany(id => spans.DigestOf(id).ToArray())]);
    }

    /// <summary>Writes a layer's index anew, with something else in it.</summary>
    /// <param name="windowOf">Which span's window a span gets.</param>
    public static LayerIndex Write(
        BuiltLayer layer, string directory, LayerToc? toc = null, SpanTable? spans = null, Func<int, int>? windowOf = null)
    {
        var path = Path.Combine(directory, Path.GetRandomFileName());
        using var windows = new WindowSpool(directory);
        for (var i = 0; i < layer.Spans.Count; i++)
        {
            var window = layer.Index.LoadWindow(new SpanId(windowOf?.Invoke(i) ?? i));
            windows.Add(window.IsEmpty ? default : WindowEncoding.Encode(window.Span, WindowEncoding.AllReferenced));
        }

        using (var file = File.Create(path))
        {
            LayerIndexWriter.Write(file, new LayerIndexContent
            {
                Compression = layer.Index.Compression,
                LayerDigest = Digest.OfSha256(layer.Blob),
                DiffId = layer.Index.DiffId,
                Toc = toc ?? layer.Toc,
                Spans = spans ?? layer.Spans,
                Windows = windows,
            });
        }

        return LayerIndex.Open(path);
    }
}
