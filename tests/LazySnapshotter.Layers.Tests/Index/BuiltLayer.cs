using System.Security.Cryptography;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Index;

// A blob with its index, built, written, opened again: what all the tests read through. Reads take the long way, one
// span after the other through a SpanDecoder, each span's digest checked first.
internal sealed class BuiltLayer : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly SpanDecoder _decoder;

    private BuiltLayer(byte[] blob, LayerIndexOptions options, int seed)
    {
        Blob = blob;
        Path = _folder["index"];
        try
        {
            Result = LayerIndexBuilder.BuildAsync(new TrickleStream(blob, seed), Path, options, CancellationToken.None)
                .GetAwaiter().GetResult();
        }
        catch
        {
            Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path)); // whatever was refused leaves nothing behind
            _folder.Dispose();
            throw;
        }

        Index = LayerIndex.Open(Path, Digest.OfSha256(blob));
        _decoder = new SpanDecoder(Index);
    }

    public byte[] Blob { get; }

    public string Path { get; }

    public LayerIndexBuildResult Result { get; }

    public LayerIndex Index { get; }

    public LayerToc Toc => Index.Toc;

    public SpanTable Spans => Index.Spans;

    public static BuiltLayer Of(byte[] blob, long? spanLength = null, int seed = 1, CheckpointPlacement? placement = null) =>
        new(blob, new LayerIndexOptions { Placement = spanLength is { } length
            ? CheckpointPlacement.Uniform(length)
            : placement ?? CheckpointPlacement.Adaptive }, seed);

    /// <summary>What a build says of a blob it refuses.</summary>
    public static string RefusalOf(byte[] blob) => Assert.Throws<InvalidDataException>(() => Of(blob).Dispose()).Message;

    public byte[] Compressed(SpanId span)
    {
        var layout = Spans[span];
        return Blob[(int)layout.CompressedOffset..(int)layout.CompressedEnd];
    }

    /// <summary>Part of the tar, through the spans that have it.</summary>
    public byte[] ReadTar(long offset, long length)
    {
        if (length == 0)
            return [];
        var result = new byte[length];
        using var history = SpanHistory.Rent();
        for (var i = Spans.RunStart(Spans.Find(offset)).Value; i < Spans.Count
            && Spans[new SpanId(i)].UncompressedOffset < offset + length; i++)
        {
            var layout = Spans[new SpanId(i)];
            var compressed = Compressed(layout.Id);
            Assert.Equal(Spans.DigestOf(layout.Id).ToArray(), SHA256.HashData(compressed));

            var start = (int)Math.Max(0, offset - layout.UncompressedOffset);
            var end = (int)Math.Min(layout.UncompressedLength, offset + length - layout.UncompressedOffset);
            var decoded = new byte[end];
            _decoder.Decode(layout.Id, history, compressed, decoded);
            if (start < end)
                decoded.AsSpan(start).CopyTo(result.AsSpan((int)(layout.UncompressedOffset + start - offset)));
        }

        return result;
    }

    public byte[] ReadFile(int entry)
    {
        var content = new byte[Toc[entry].Size];
        foreach (var extent in Toc.Extents(entry))
            ReadTar(extent.UncompressedOffset, extent.Length).CopyTo(content.AsSpan((int)extent.FileOffset));
        return content;
    }

    public int Entry(string path) =>
        Toc.TryResolve(System.Text.Encoding.UTF8.GetBytes(path), out var entry) ? entry : throw new FileNotFoundException(path);

    public TocEntry this[string path] => Toc[Entry(path)];

    public void Dispose()
    {
        Index.Dispose();
        _folder.Dispose();
    }
}
