using System.Buffers;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Columns;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Toc;
using Microsoft.Win32.SafeHandles;

namespace LazySnapshotter.Layers.Format;

/// <summary>What the front of an index file says.</summary>
internal readonly record struct LayerIndexFront(LayerIndexHeader Header, LayerToc Toc, SpanTable Spans, LayerIndexWindows Windows);

// Reads the front of an index file: header, TOC and spans. Nothing in it is believed before its checksum was right, and
// nothing then either: anyone can compute a checksum, so every count and offset is still checked against what it may be.
internal static class LayerIndexReader
{
    /// <summary>Reads the front of a file and checks that its footer agrees with its header.</summary>
    /// <exception cref="InvalidDataException">Damaged; the message names the part.</exception>
    public static LayerIndexFront Read(SafeFileHandle file)
    {
        var header = ReadHeader(file);
        var footer = new byte[LayerIndexFooter.Length];
        ReadAt(file, header.FileLength - footer.Length, footer, "footer");
        LayerIndexFooter.Check(footer, header);

        var front = ArrayPool<byte>.Shared.Rent((int)header.FrontLength);
        try
        {
            var bytes = front.AsSpan(0, (int)header.FrontLength);
            ReadAt(file, 0, bytes, "front");
            return ReadFront(bytes, header);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(front);
        }
    }

    /// <param name="front">The file's first <see cref="LayerIndexHeader.FrontLength"/> bytes.</param>
    /// <inheritdoc cref="Read"/>
    public static LayerIndexFront ReadFront(ReadOnlySpan<byte> front, LayerIndexHeader header)
    {
        LayerToc? toc = null;
        Unpack(front, header.Toc, "TOC section", section => toc = TocReader.Read(section, header.UncompressedLength));
        (SpanTable Table, LayerIndexWindows Windows)? spans = null;
        Unpack(front, header.Spans, "span section", section => spans = ReadSpans(section, header));
        return new LayerIndexFront(header, toc!, spans!.Value.Table, spans.Value.Windows);
    }

    /// <summary>Opens a file if it is the same index; null if it is not there, or is not.</summary>
    public static SafeFileHandle? TryOpenSame(string path, LayerIndexHeader header)
    {
        SafeFileHandle? file = null;
        try
        {
            file = Open(path);
            if (ReadHeader(file).Id == header.Id)
                return file;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // As if it were not there: who asks has something to complain about already.
        }

        file?.Dispose();
        return null;
    }

    public static SafeFileHandle Open(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);

    /// <summary>The file is an index of a version that another program reads; damaged is something else.</summary>
    public static bool IsOfOtherVersion(string path)
    {
        using var file = Open(path);
        Span<byte> start = stackalloc byte[LayerIndexHeader.Length];
        return LayerIndexHeader.IsOfOtherVersion(start[..RandomAccess.Read(file, start, 0)]);
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

    private static LayerIndexHeader ReadHeader(SafeFileHandle file)
    {
        var fileLength = RandomAccess.GetLength(file);
        Span<byte> bytes = stackalloc byte[(int)Math.Min(fileLength, LayerIndexHeader.Length)];
        ReadAt(file, 0, bytes, "header");
        return LayerIndexHeader.Parse(bytes, fileLength);
    }

    private static void Unpack(ReadOnlySpan<byte> front, LayerIndexSection section, string name, Action<ReadOnlySpan<byte>> read)
    {
        var stored = front.Slice((int)section.Offset, (int)section.StoredLength);
        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(stored, checksum);
        if (!checksum.SequenceEqual(section.Checksum))
            throw new InvalidDataException($"index, {name}: the checksum does not match");

        var unpacked = ArrayPool<byte>.Shared.Rent((int)section.Length + 1);
        try
        {
            // Room for a byte too many, so that an end that does not come shows.
            var length = PackedPart.Unpack(stored, unpacked.AsSpan(0, (int)section.Length + 1), name);
            if (length != section.Length)
                throw new InvalidDataException($"index, {name}: unpacks to {length} bytes, not {section.Length}");
            read(unpacked.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(unpacked);
        }
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
            uncompressedOffsets[i] = uncompressedOffsets[i - 1] + reader.Number(
                header.UncompressedLength - uncompressedOffsets[i - 1], "span offset");

        var windowLengths = new int[count];
        var areContinued = new bool[count];
        var windowCount = 0;
        for (var i = 0; i < count; i++)
        {
            var number = (int)reader.Number(LayerIndexLimits.StoredWindowLengthMax + 1, "window length");
            areContinued[i] = number == LayerIndexWriter.ContinuedMark;
            windowLengths[i] = areContinued[i] ? 0 : number - 1;
            windowCount += windowLengths[i] > 0 ? 1 : 0;
        }

        var digests = reader.Bytes((long)count * SHA256.HashSizeInBytes, "span digests").ToArray();
        var checksums = reader.Bytes((long)windowCount * WindowSpool.ChecksumLength, "window checksums").ToArray();
        if (!reader.IsEmpty)
            throw reader.Bad("bytes are left over");

        var spans = new SpanTable(
            startBits, uncompressedOffsets, digests, header.CompressedLength, header.UncompressedLength, areContinued);
        CheckSpans(spans, windowLengths, header.Compression);
        return (spans, new LayerIndexWindows(windowLengths, checksums, header.WindowsStart, header.WindowsLength));
    }

    private static void CheckSpans(SpanTable spans, int[] windowLengths, LayerCompression compression)
    {
        for (var i = 0; i < spans.Count; i++)
        {
            var span = spans[new SpanId(i)];
            if (compression == LayerCompression.None && spans.StartBit(span.Id) != span.UncompressedOffset * 8)
                throw Bad($"span {i} of an uncompressed layer starts elsewhere in the blob than in the tar");
            if (compression == LayerCompression.None && (windowLengths[i] > 0 || spans.IsContinued(span.Id)))
                throw Bad($"span {i} of an uncompressed layer has a window, or needs one");
        }

        if (compression == LayerCompression.None && spans.CompressedLength != spans.UncompressedLength)
            throw Bad("an uncompressed layer with two lengths");
    }

    private static InvalidDataException Bad(string what) => new($"index, span section: {what}");
}
