using System.IO.Compression;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Index;

// Reads an index file, all but its windows. Nothing in it is believed before its checksum was right, and nothing then
// either: anyone can compute a checksum, so every count and offset is still checked against what it may be.
internal static class LayerIndexReader
{
    public readonly record struct Content(LayerIndexHeader Header, LayerToc Toc, SpanTable Spans, LayerIndexWindows Windows);

    /// <exception cref="InvalidDataException">Damaged; the message names the part.</exception>
    public static Content Read(SafeFileHandle file)
    {
        var fileLength = RandomAccess.GetLength(file);
        var headerBytes = new byte[Math.Min(fileLength, LayerIndexHeader.Length)];
        ReadAt(file, 0, headerBytes, "header");
        var header = LayerIndexHeader.Parse(headerBytes, fileLength);

        var toc = TocReader.Read(Load(file, header.Toc, "TOC"), header.UncompressedLength);
        var (spans, windows) = ReadSpans(Load(file, header.Spans, "span"), header);
        return new Content(header, toc, spans, windows);
    }

    public static void ReadAt(SafeFileHandle file, long offset, Span<byte> bytes, string what)
    {
        while (!bytes.IsEmpty)
        {
            var length = RandomAccess.Read(file, bytes, offset);
            if (length == 0)
                throw new InvalidDataException($"index, {what}: cut short at {offset}");
            offset += length;
            bytes = bytes[length..];
        }
    }

    private static byte[] Load(SafeFileHandle file, LayerIndexSection section, string name)
    {
        var stored = new byte[section.StoredLength];
        ReadAt(file, section.Offset, stored, $"{name} section");
        if (!SHA256.HashData(stored).AsSpan().SequenceEqual(section.Checksum))
            throw new InvalidDataException($"index, {name} section: the checksum does not match");

        using var deflate = new DeflateStream(new MemoryStream(stored), CompressionMode.Decompress);
        var bytes = new byte[section.Length];
        var length = deflate.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length != bytes.Length || deflate.ReadByte() >= 0)
            throw new InvalidDataException($"index, {name} section: does not unpack to {section.Length} bytes");
        return bytes;
    }

    private static (SpanTable Spans, LayerIndexWindows Windows) ReadSpans(ReadOnlySpan<byte> section, LayerIndexHeader header)
    {
        var reader = new ColumnReader(section, "span section");
        var count = reader.Count(LayerIndexLimits.SpanCountMax, "span count");
        if (count == 0)
            throw reader.Bad("no spans");

        var startBits = new long[count];
        startBits[0] = reader.Number(header.CompressedLength * 8, "start of the first span");
        for (var i = 1; i < count; i++)
            startBits[i] = startBits[i - 1] + reader.Number(header.CompressedLength * 8 - startBits[i - 1], "span start");
        var uncompressedOffsets = new long[count];
        for (var i = 1; i < count; i++)
            uncompressedOffsets[i] = uncompressedOffsets[i - 1] + reader.Number(header.UncompressedLength - uncompressedOffsets[i - 1], "span offset");

        var windowLengths = new int[count];
        var windowCount = 0;
        for (var i = 0; i < count; i++)
        {
            windowLengths[i] = (int)reader.Number(LayerIndexLimits.StoredWindowLengthMax, "window length");
            windowCount += windowLengths[i] > 0 ? 1 : 0;
        }

        var digests = reader.Bytes((long)count * SHA256.HashSizeInBytes, "span digests").ToArray();
        var checksums = reader.Bytes((long)windowCount * WindowSpool.ChecksumLength, "window checksums").ToArray();
        if (!reader.IsEmpty)
            throw reader.Bad("bytes are left over");

        var spans = new SpanTable(startBits, uncompressedOffsets, digests, header.CompressedLength, header.UncompressedLength);
        CheckSpans(spans, header.Compression);
        return (spans, new LayerIndexWindows(windowLengths, checksums, header.WindowsStart, header.WindowsLength));
    }

    private static void CheckSpans(SpanTable spans, LayerCompression compression)
    {
        for (var i = 0; i < spans.Count; i++)
        {
            var span = spans[new SpanId(i)];
            if (span.CompressedLength > LayerIndexLimits.SpanLengthMax || span.UncompressedLength > LayerIndexLimits.SpanLengthMax)
                throw new InvalidDataException($"index, span section: span {i} is longer than {LayerIndexLimits.SpanLengthMax} bytes");
            if (compression == LayerCompression.None && spans.StartBit(span.Id) != span.UncompressedOffset * 8)
                throw new InvalidDataException($"index, span section: span {i} of an uncompressed layer starts elsewhere in the blob than in the tar");
        }

        if (compression == LayerCompression.None && spans.CompressedLength != spans.UncompressedLength)
            throw new InvalidDataException("index: an uncompressed layer with two lengths");
    }
}
