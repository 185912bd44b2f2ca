using System.Security.Cryptography;
using LazySnapshotter.Codecs.Deflate;
using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Layers.Format;

// Writes an index file (docs/FORMATS.md): header, TOC, spans, windows, footer. What a mount needs comes first. The same
// content gives the same bytes: there is no time, path or chance in them, and nothing is left to a library.
internal static class LayerIndexWriter
{
    /// <summary>
    /// In the column of window lengths, which are one more than they are: the span has none because it goes on from the one before.
    /// </summary>
    public const int ContinuedMark = 0;

    /// <summary>A digest and three numbers, mostly.</summary>
    private const int SpanLengthMean = 40;

    /// <returns>The header that was written: it knows the file's identity and length.</returns>
    public static LayerIndexHeader Write(Stream output, LayerIndexContent content)
    {
        var (spans, windows) = (content.Spans, content.Windows);
        if (windows.Count != spans.Count)
            throw new ArgumentException($"{windows.Count} windows for {spans.Count} spans", nameof(content));
        if (Enumerable.Range(0, spans.Count).Any(i => spans.IsContinued(new SpanId(i)) && windows.LengthOf(i) > 0))
            throw new ArgumentException("a span that goes on from the one before has a window", nameof(content));

        // Side by side: a build that has come here has nothing else left to do. But a large layer's columns take too much memory.
        var packing = BuildMemory.IsLarge(content.Toc.Count) ? null : Task.Run(() => Pack(WriteSpans(spans, windows)));
        var toc = Pack(WriteToc(content.Toc));
        var table = packing is null ? Pack(WriteSpans(spans, windows)) : packing.GetAwaiter().GetResult();
        var tocSection = toc.At(LayerIndexHeader.Length);
        var spanSection = table.At(tocSection.Offset + tocSection.StoredLength);
        var windowsStart = spanSection.Offset + spanSection.StoredLength;
        var header = new LayerIndexHeader
        {
            Compression = content.Compression,
            FileLength = windowsStart + windows.Length + LayerIndexFooter.Length,
            CompressedLength = spans.CompressedLength,
            UncompressedLength = spans.UncompressedLength,
            LayerDigest = content.LayerDigest,
            DiffId = content.DiffId,
            Toc = tocSection,
            Spans = spanSection,
            WindowsStart = windowsStart,
            WindowsLength = windows.Length,
        }.WithId();

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Put(header.ToBytes());
        Put(toc.Stored);
        Put(table.Stored);
        windows.CopyTo(piece => Put(piece.Span));
        output.Write(LayerIndexFooter.ToBytes(header, hash.GetHashAndReset()));
        return header;

        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            output.Write(bytes);
        }
    }

    private static ColumnWriter WriteSpans(SpanTable spans, WindowSpool windows)
    {
        var writer = new ColumnWriter((SpanLengthMean * spans.Count) + (windows.ChecksumCount * WindowSpool.ChecksumLength) + 32);
        writer.Number(spans.Count);
        writer.Number(spans.StartBit(new SpanId(0)));
        for (var i = 1; i < spans.Count; i++)
            writer.Number(spans.StartBit(new SpanId(i)) - spans.StartBit(new SpanId(i - 1)));
        for (var i = 1; i < spans.Count; i++)
            writer.Number(spans[new SpanId(i)].UncompressedOffset - spans[new SpanId(i - 1)].UncompressedOffset);
        for (var i = 0; i < spans.Count; i++)
            writer.Number(spans.IsContinued(new SpanId(i)) ? ContinuedMark : windows.LengthOf(i) + 1L);
        for (var i = 0; i < spans.Count; i++)
            writer.Bytes(spans.DigestOf(new SpanId(i)));
        for (var i = 0; i < windows.ChecksumCount; i++)
            writer.Bytes(windows.ChecksumOf(i));
        return CheckLength(writer);
    }

    private static ColumnWriter WriteToc(LayerToc toc)
    {
        var writer = new ColumnWriter(TocWriter.EstimateLength(toc));
        TocWriter.Write(toc, writer);
        return CheckLength(writer);
    }

    private static ColumnWriter CheckLength(ColumnWriter columns) => columns.Written.Length <= LayerIndexLimits.SectionLengthMax
        ? columns
        : throw new UnsupportedLayerException($"the layer's index has a section of more than {LayerIndexLimits.SectionLengthMax} bytes");

    private static Section Pack(ColumnWriter columns) => new(DeflateEncoder.Encode(columns.Written), columns.Written.Length);

    /// <summary>A section as it goes into the file, and how long it is when unpacked.</summary>
    private sealed record Section(byte[] Stored, int Length)
    {
        public LayerIndexSection At(long offset) => new(offset, Stored.Length, Length, SHA256.HashData(Stored));
    }
}
