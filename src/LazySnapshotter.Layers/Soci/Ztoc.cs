using System.Security.Cryptography;
using System.Text;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Soci.FlatBuffers;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;
using Schema = LazySnapshotter.Layers.Soci.ZtocSchema;

namespace LazySnapshotter.Layers.Soci;

// A zTOC, soci's index of one layer (version 0.9), as it came. Parsing checks all that is said of spans: counts that
// agree, offsets that rise and stay inside the layer, digests that are digests. Entries are checked when they are read
// (ZtocEntries). A zTOC does not say which layer it is of; its descriptor does. Keeps the bytes it was parsed from.
public sealed class Ztoc
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly long[] _startBits;
    private readonly long[] _uncompressedOffsets;

    private Ztoc(ReadOnlyMemory<byte> bytes, LayerCompression compression, long[] startBits, long[] uncompressedOffsets)
    {
        _bytes = bytes;
        Compression = compression;
        _startBits = startBits;
        _uncompressedOffsets = uncompressedOffsets;
    }

    /// <summary>Who made it.</summary>
    public string BuildTool { get; private init; } = "";

    public LayerCompression Compression { get; }

    /// <summary>Length of the blob.</summary>
    public long CompressedLength { get; private init; }

    /// <summary>Length of the tar, as far as files and the closing blocks go; zeros may follow.</summary>
    public long UncompressedLength { get; private init; }

    /// <summary>What the spans' length was asked to be.</summary>
    public long SpanLength { get; private init; }

    public int SpanCount => _startBits.Length;

    public int EntryCount { get; private init; }

    /// <summary>
    /// Made by an early soci, which left the first checkpoint out: it is right in any case only if the import gets the
    /// first bytes of the blob (<see cref="ZtocImportOptions.BlobStart"/>).
    /// </summary>
    public bool NeedsBlobStart { get; private init; }

    internal byte[] SpanDigests { get; private init; } = [];

    /// <exception cref="InvalidDataException">Damaged or no zTOC; the message names the part.</exception>
    public static Ztoc Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > ZtocLimits.LengthMax)
            throw new InvalidDataException($"zTOC: {bytes.Length} bytes, more than {ZtocLimits.LengthMax}");
        var root = new FlatBuffer(bytes.Span, "zTOC").Root();
        var version = root.Bytes(Schema.Ztoc.Version);
        if (!version.SequenceEqual(Schema.Version))
            throw new InvalidDataException($"zTOC: version {Toc.TarPath.Display(version)}, not {Encoding.ASCII.GetString(Schema.Version)}");

        var compressedLength = Length(root.Int64(Schema.Ztoc.CompressedLength), LayerIndexLimits.CompressedLengthMax, "compressed");
        var uncompressedLength = Length(root.Int64(Schema.Ztoc.UncompressedLength), LayerIndexLimits.UncompressedLengthMax, "uncompressed");
        if (!root.TryTable(Schema.Ztoc.CompressionInfo, out var info))
            throw new InvalidDataException("zTOC: it says nothing of the compression");
        var checkpoints = info.Bytes(Schema.CompressionInfo.Checkpoints);
        var compression = info.Int8(Schema.CompressionInfo.Algorithm, missing: Schema.Algorithm.Gzip) switch
        {
            Schema.Algorithm.Gzip => LayerCompression.Gzip,
            Schema.Algorithm.Uncompressed => LayerCompression.None,
            var other => throw new InvalidDataException($"zTOC: compression algorithm {other} is unknown"),
        };

        long spanLength;
        var impliesFirst = false;
        var (startBits, offsets) = compression == LayerCompression.Gzip
            ? ReadGzip(checkpoints, out spanLength, out impliesFirst)
            : ReadTar(checkpoints, compressedLength, uncompressedLength, out spanLength);
        CheckSpans(startBits, offsets, compressedLength);
        if (info.Int32(Schema.CompressionInfo.SpanIdMax) != startBits.Length - 1)
            throw new InvalidDataException(
                $"zTOC: the last span is {info.Int32(Schema.CompressionInfo.SpanIdMax)}, but there are {startBits.Length} checkpoints");

        return new Ztoc(bytes, compression, startBits, offsets)
        {
            BuildTool = Toc.TarPath.Display(root.Bytes(Schema.Ztoc.BuildTool)),
            CompressedLength = compressedLength,
            UncompressedLength = uncompressedLength,
            SpanLength = spanLength,
            SpanDigests = ReadDigests(info.Offsets(Schema.CompressionInfo.SpanDigests), startBits.Length),
            EntryCount = root.TryTable(Schema.Ztoc.Toc, out var toc) ? toc.Offsets(Schema.Toc.Metadata).Count : 0,
            NeedsBlobStart = impliesFirst,
        };
    }

    /// <summary>Where a span lies in the tar; prefetch artifacts name spans by number. The last one may end before it starts.</summary>
    public (long Start, long End) UncompressedRange(int span) =>
        (_uncompressedOffsets[span], span == SpanCount - 1 ? UncompressedLength : _uncompressedOffsets[span + 1]);

    internal ReadOnlySpan<long> StartBits => _startBits;

    internal ReadOnlySpan<long> UncompressedOffsets => _uncompressedOffsets;

    /// <summary>The 32 KiB before a span of a gzip layer, in the zTOC; empty where none are stored.</summary>
    internal ReadOnlySpan<byte> Window(int span)
    {
        if (Compression != LayerCompression.Gzip)
            return default;
        _ = new FlatBuffer(_bytes.Span, "zTOC").Root().TryTable(Schema.Ztoc.CompressionInfo, out var info);
        return GzipZinfo.Read(info.Bytes(Schema.CompressionInfo.Checkpoints)).Window(span);
    }

    /// <summary>The entries' tables, in the order of the zTOC.</summary>
    internal FlatVector Metadata() => new FlatBuffer(_bytes.Span, "zTOC").Root().TryTable(Schema.Ztoc.Toc, out var toc)
        ? toc.Offsets(Schema.Toc.Metadata)
        : default;

    private static (long[] StartBits, long[] Offsets) ReadGzip(ReadOnlySpan<byte> checkpoints, out long spanLength, out bool impliesFirst)
    {
        var zinfo = GzipZinfo.Read(checkpoints);
        (spanLength, impliesFirst) = (zinfo.SpanLength, zinfo.ImpliesFirst);
        var startBits = new long[zinfo.Count];
        var offsets = new long[zinfo.Count];
        for (var i = 0; i < zinfo.Count; i++)
            (startBits[i], offsets[i]) = zinfo[i];
        if (startBits[0] % 8 != 0)
            throw new InvalidDataException("zTOC, checkpoint 0: inside a byte, where a gzip header has just ended");
        return (startBits, offsets);
    }

    private static (long[] StartBits, long[] Offsets) ReadTar(
        ReadOnlySpan<byte> checkpoints, long compressedLength, long uncompressedLength, out long spanLength)
    {
        (spanLength, var size) = TarZinfo.Read(checkpoints);
        if (size != compressedLength || size < uncompressedLength)
            throw new InvalidDataException(
                $"zTOC, tar zinfo: a tar of {size} bytes in a blob of {compressedLength}, {uncompressedLength} of them used");
        if (spanLength < 1 || (size - 1) / spanLength >= LayerIndexLimits.SpanCountMax)
            throw new InvalidDataException($"zTOC, tar zinfo: spans of {spanLength} bytes for a tar of {size}");
        var offsets = new long[(int)((size - 1) / spanLength) + 1];
        for (var i = 0; i < offsets.Length; i++)
            offsets[i] = i * spanLength;
        return (Array.ConvertAll(offsets, offset => offset * 8), offsets);
    }

    // Several checkpoints before the first byte of output do occur (an empty first block); they must not lead back either.
    private static void CheckSpans(long[] startBits, long[] offsets, long compressedLength)
    {
        if (offsets[0] != 0)
            throw new InvalidDataException($"zTOC, checkpoint 0: it starts at uncompressed offset {offsets[0]}, not at 0");
        for (var i = 1; i < startBits.Length; i++)
        {
            if (startBits[i] <= startBits[i - 1] || (offsets[i] <= offsets[i - 1] && offsets[i] != 0))
                throw new InvalidDataException($"zTOC, checkpoint {i}: it does not come after checkpoint {i - 1}");
        }

        if (startBits[^1] / 8 >= compressedLength)
            throw new InvalidDataException(
                $"zTOC, checkpoint {startBits.Length - 1}: it starts behind the end of the blob of {compressedLength} bytes");
    }

    private static byte[] ReadDigests(FlatVector digests, int count)
    {
        if (digests.Count != count)
            throw new InvalidDataException($"zTOC: {digests.Count} span digests for {count} spans");
        var hashes = new byte[count * SHA256.HashSizeInBytes];
        for (var i = 0; i < count; i++)
        {
            var text = digests.Bytes(i);
            if (text.Length > 200
                || !Digest.TryParse(Encoding.ASCII.GetString(text), out var digest) || digest.Algorithm != Digest.Sha256Algorithm)
                throw new InvalidDataException($"zTOC, span {i}: {Toc.TarPath.Display(text)} is no SHA-256 digest");
            Convert.FromHexString(digest.Hex).CopyTo(hashes, i * SHA256.HashSizeInBytes);
        }

        return hashes;
    }

    private static long Length(long length, long max, string kind) =>
        length > 0 && length <= max ? length : throw new InvalidDataException($"zTOC: {kind} length {length}, not 1 to {max}");
}
