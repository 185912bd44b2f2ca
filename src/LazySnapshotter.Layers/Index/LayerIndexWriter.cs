using System.Security.Cryptography;
using LazySnapshotter.Layers.Gzip;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;

namespace LazySnapshotter.Layers.Index;

// Writes an index file (docs/FORMATS.md): header, TOC, spans, windows. What a mount needs comes first. The same layer
// and options give the same bytes: there is no time, path or chance in them.
internal static class LayerIndexWriter
{
    /// <returns>The header that was written: it knows the file's identity and length.</returns>
    public static LayerIndexHeader Write(Stream output, LayerIndexContent content)
    {
        var (spans, windows) = (content.Spans, content.Windows);
        if (windows.Lengths.Count != spans.Count)
            throw new ArgumentException($"{windows.Lengths.Count} windows for {spans.Count} spans", nameof(content));
        var windowsLength = windows.Length;

        var tocColumns = new ColumnWriter();
        TocWriter.Write(content.Toc, tocColumns);
        var spanColumns = new ColumnWriter();
        WriteSpans(spans, windows, spanColumns);

        var (tocSection, tocStored) = Store(tocColumns, LayerIndexHeader.Length);
        var (spanSection, spansStored) = Store(spanColumns, tocSection.Offset + tocSection.StoredLength);
        var windowsStart = spanSection.Offset + spanSection.StoredLength;
        var header = new LayerIndexHeader
        {
            Compression = content.Compression,
            FileLength = windowsStart + windowsLength,
            CompressedLength = spans.CompressedLength,
            UncompressedLength = spans.UncompressedLength,
            LayerDigest = content.LayerDigest,
            DiffId = content.DiffId,
            Toc = tocSection,
            Spans = spanSection,
            WindowsStart = windowsStart,
            WindowsLength = windowsLength,
        }.WithId();

        output.Write(header.ToBytes());
        output.Write(tocStored);
        output.Write(spansStored);
        windows.CopyTo(output);
        return header;
    }

    private static void WriteSpans(SpanTable spans, WindowSpool windows, ColumnWriter writer)
    {
        writer.Number(spans.Count);
        writer.Number(spans.StartBit(new SpanId(0)));
        for (var i = 1; i < spans.Count; i++)
            writer.Number(spans.StartBit(new SpanId(i)) - spans.StartBit(new SpanId(i - 1)));
        for (var i = 1; i < spans.Count; i++)
            writer.Number(spans[new SpanId(i)].UncompressedOffset - spans[new SpanId(i - 1)].UncompressedOffset);
        foreach (var length in windows.Lengths)
            writer.Number(length);
        for (var i = 0; i < spans.Count; i++)
            writer.Bytes(spans.DigestOf(new SpanId(i)));
        writer.Bytes(windows.Checksums);
    }

    private static (LayerIndexSection Section, byte[] Stored) Store(ColumnWriter columns, long offset)
    {
        if (columns.Written.Length > LayerIndexLimits.SectionLengthMax)
            throw new UnsupportedLayerException($"the layer's index has a section of more than {LayerIndexLimits.SectionLengthMax} bytes");
        var bytes = DeflateEncoder.Encode(columns.Written.Span);
        return (new LayerIndexSection(offset, bytes.Length, columns.Written.Length, SHA256.HashData(bytes)), bytes);
    }
}
