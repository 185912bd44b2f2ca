using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Benchmarks.IndexBuild;

// All places of a layer where a span could start.
internal sealed class BlockBoundaries : IGzipSink
{
    private readonly List<Checkpoint> _boundaries = [];
    private readonly List<long> _offsets = [];

    public static BlockBoundaries Of(string path)
    {
        var boundaries = new BlockBoundaries();
        var scanner = new GzipScanner(boundaries);
        using var file = File.OpenRead(path);
        var buffer = new byte[1 << 20];
        for (int length; (length = file.Read(buffer)) > 0;)
            scanner.Append(buffer.AsSpan(0, length));
        scanner.Complete();
        ((IGzipSink)boundaries).BlockStart(scanner.CompressedOffset * 8, scanner.UncompressedOffset, isMemberStart: true);
        return boundaries;
    }

    /// <summary>Where in the blob a byte of the tar is, more or less: blocks are taken to be equally dense all over.</summary>
    public double CompressedAt(long uncompressedOffset)
    {
        var found = _offsets.BinarySearch(uncompressedOffset);
        if (found >= 0)
            return _boundaries[found].StartBit / 8.0;
        var (before, behind) = (_boundaries[~found - 1], _boundaries[~found]);
        var part = (uncompressedOffset - before.UncompressedOffset) / (double)(behind.UncompressedOffset - before.UncompressedOffset);
        return (before.StartBit + part * (behind.StartBit - before.StartBit)) / 8;
    }

    /// <summary>The spans that a rule would have made.</summary>
    public SpanTable Choose(SociRule rule, SpanTable layer)
    {
        var chosen = _boundaries.Skip(1)
            .Take(_boundaries.Count - 2).Where(boundary => rule.Takes(boundary)).Prepend(new Checkpoint(0, 0, true)).ToList();
        return new SpanTable(
            [.. chosen.Select(one => one.StartBit)], [.. chosen.Select(one => one.UncompressedOffset)], new byte[chosen.Count * 32],
            layer.CompressedLength, layer.UncompressedLength);
    }

    void IGzipSink.Uncompressed(ReadOnlySpan<byte> bytes)
    {
    }

    void IGzipSink.BlockStart(long startBit, long uncompressedOffset, bool isMemberStart)
    {
        // Of several with the same output the last one.
        if (_offsets.Count > 0 && _offsets[^1] == uncompressedOffset)
        {
            _boundaries[^1] = new Checkpoint(startBit, uncompressedOffset, isMemberStart);
            return;
        }

        _boundaries.Add(new Checkpoint(startBit, uncompressedOffset, isMemberStart));
        _offsets.Add(uncompressedOffset);
    }
}
