using System.Buffers.Binary;
using System.Security.Cryptography;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Format;

/// <param name="StoredLength">In the file, deflated.</param>
/// <param name="Length">Unpacked.</param>
/// <param name="Checksum">SHA-256 of the stored bytes.</param>
internal readonly record struct LayerIndexSection(long Offset, long StoredLength, long Length, byte[] Checksum);

// The first bytes of an index file. They name every other part with its checksum (the windows' checksums are in the
// span section), so the header's own checksum stands for the whole file and is its identity. The footer repeats some of it.
// All numbers little-endian; each field lies behind the one before it (docs/FORMATS.md, "Header").
internal sealed record LayerIndexHeader
{
    public const int DigestLength = 1 + 7 + SHA512.HashSizeInBytes; // algorithm, reserved, hash
    private const int SectionLength = 8 + 8 + 8 + SHA256.HashSizeInBytes;

    private const int VersionOffset = 8;
    private const int CompressionOffset = VersionOffset + 4;
    private const int FileLengthOffset = CompressionOffset + 4;
    private const int CompressedLengthOffset = FileLengthOffset + 8;
    private const int UncompressedLengthOffset = CompressedLengthOffset + 8;
    private const int LayerDigestOffset = UncompressedLengthOffset + 8;
    private const int DiffIdOffset = LayerDigestOffset + DigestLength;
    private const int TocOffset = DiffIdOffset + DigestLength;
    private const int SpansOffset = TocOffset + SectionLength;
    private const int WindowsOffset = SpansOffset + SectionLength;
    private const int ChecksumOffset = WindowsOffset + 8 + 8;

    public const int Length = ChecksumOffset + SHA256.HashSizeInBytes;

    public const uint Version = 3;

    /// <summary>As in PNG: the first byte is no text, and a transfer that changes line ends or cuts at Ctrl-Z shows.</summary>
    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'L', (byte)'S', (byte)'I', 0x0D, 0x0A, 0x1A, 0x0A];

    public required LayerCompression Compression { get; init; }

    public required long FileLength { get; init; }

    public required long CompressedLength { get; init; }

    public required long UncompressedLength { get; init; }

    public required Digest LayerDigest { get; init; }

    /// <summary>Null where it is not known.</summary>
    public required Digest? DiffId { get; init; }

    public required LayerIndexSection Toc { get; init; }

    public required LayerIndexSection Spans { get; init; }

    public required long WindowsStart { get; init; }

    public required long WindowsLength { get; init; }

    /// <summary>Header, TOC and spans: what a mount needs, and where the windows start.</summary>
    public long FrontLength => WindowsStart;

    /// <summary>Identity of the index file: its header's checksum in hexadecimal.</summary>
    public string Id { get; private init; } = "";

    public LayerIndexHeader WithId() => this with { Id = Convert.ToHexStringLower(ToBytes().AsSpan(ChecksumOffset)) };

    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CompressionOffset), (uint)Compression);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(FileLengthOffset), FileLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(CompressedLengthOffset), CompressedLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(UncompressedLengthOffset), UncompressedLength);
        WriteDigest(bytes.AsSpan(LayerDigestOffset, DigestLength), LayerDigest);
        if (DiffId is { } diffId)
            WriteDigest(bytes.AsSpan(DiffIdOffset, DigestLength), diffId);
        WriteSection(bytes.AsSpan(TocOffset, SectionLength), Toc);
        WriteSection(bytes.AsSpan(SpansOffset, SectionLength), Spans);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(WindowsOffset), WindowsStart);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(WindowsOffset + 8), WindowsLength);
        SHA256.HashData(bytes.AsSpan(0, ChecksumOffset), bytes.AsSpan(ChecksumOffset));
        return bytes;
    }

    /// <exception cref="InvalidDataException">Not a header, or damaged; the message says what.</exception>
    public static LayerIndexHeader Parse(ReadOnlySpan<byte> bytes, long fileLength)
    {
        if (!bytes.StartsWith(Magic))
            throw Bad(bytes.Length < Magic.Length ? $"cut short at {fileLength} bytes" : "not an index file (wrong magic)");
        if (bytes.Length < VersionOffset + 4)
            throw Bad($"cut short at {fileLength} bytes");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[VersionOffset..]);
        if (version != Version)
            throw Bad($"version {version} is unknown, this program reads version {Version}");
        if (bytes.Length < Length)
            throw Bad($"cut short at {fileLength} bytes");

        Span<byte> checksum = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..ChecksumOffset], checksum);
        if (!checksum.SequenceEqual(bytes.Slice(ChecksumOffset, checksum.Length)))
            throw Bad("the header's checksum does not match");

        var header = new LayerIndexHeader
        {
            Compression = (LayerCompression)BinaryPrimitives.ReadUInt32LittleEndian(bytes[CompressionOffset..]),
            FileLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[FileLengthOffset..]),
            CompressedLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[CompressedLengthOffset..]),
            UncompressedLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[UncompressedLengthOffset..]),
            LayerDigest = ReadDigest(bytes.Slice(LayerDigestOffset, DigestLength)) ?? throw Bad("no layer digest"),
            DiffId = ReadDigest(bytes.Slice(DiffIdOffset, DigestLength)),
            Toc = ReadSection(bytes.Slice(TocOffset, SectionLength)),
            Spans = ReadSection(bytes.Slice(SpansOffset, SectionLength)),
            WindowsStart = BinaryPrimitives.ReadInt64LittleEndian(bytes[WindowsOffset..]),
            WindowsLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[(WindowsOffset + 8)..]),
            Id = Convert.ToHexStringLower(checksum),
        };
        header.Check(fileLength);
        return header;
    }

    /// <summary>The start of an index file of a version that another program reads.</summary>
    public static bool IsOfOtherVersion(ReadOnlySpan<byte> bytes) => bytes.Length >= VersionOffset + 4 && bytes.StartsWith(Magic)
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[VersionOffset..]) != Version;

    /// <exception cref="InvalidDataException">The index is another layer's.</exception>
    public void CheckLayer(Digest? expected)
    {
        if (expected is { } layer && layer != LayerDigest)
            throw Bad($"it belongs to layer {LayerDigest}, not to {layer}");
    }

    /// <summary>The header is what its writer meant, but the writer may have been anyone.</summary>
    private void Check(long fileLength)
    {
        if (Compression is not (LayerCompression.Gzip or LayerCompression.None))
            throw Bad($"compression {(uint)Compression} is unknown");
        if (FileLength != fileLength)
            throw Bad(fileLength < FileLength
                ? $"cut short at {fileLength} bytes of {FileLength}"
                : $"the file is {fileLength} bytes long, not {FileLength}");
        if (CompressedLength is < 0 or > LayerIndexLimits.CompressedLengthMax)
            throw Bad($"a layer of {CompressedLength} bytes");
        if (UncompressedLength is < 0 or > LayerIndexLimits.UncompressedLengthMax)
            throw Bad($"a tar of {UncompressedLength} bytes");

        CheckSection(Toc, "TOC");
        CheckSection(Spans, "span");
        if (WindowsStart > LayerIndexLimits.FrontLengthMax)
            throw Bad($"a front of {WindowsStart} bytes");
        var consecutive = Toc.Offset == Length && Spans.Offset == Toc.Offset + Toc.StoredLength
            && WindowsStart == Spans.Offset + Spans.StoredLength
            && WindowsLength >= 0 && FileLength - WindowsStart - LayerIndexFooter.Length == WindowsLength;
        if (!consecutive)
            throw Bad("the sections do not fill the file");
    }

    private static void CheckSection(LayerIndexSection section, string name)
    {
        if (section.StoredLength is < 0 or > LayerIndexLimits.SectionLengthMax
            || section.Length < 0
                || section.Length > Math.Min(LayerIndexLimits.SectionLengthMax, section.StoredLength * LayerIndexLimits.DeflateRatioMax))
        {
            throw Bad($"the {name} section claims {section.Length} bytes in {section.StoredLength}");
        }
    }

    public static void WriteDigest(Span<byte> field, Digest digest)
    {
        field[0] = digest.Algorithm == Digest.Sha512Algorithm ? (byte)2 : (byte)1;
        Convert.FromHexString(digest.Hex).CopyTo(field[8..]);
    }

    private static Digest? ReadDigest(ReadOnlySpan<byte> field) => field[0] switch
    {
        0 => null,
        1 => Digest.FromSha256(field.Slice(8, SHA256.HashSizeInBytes)),
        2 => Digest.Parse($"{Digest.Sha512Algorithm}:{Convert.ToHexStringLower(field.Slice(8, SHA512.HashSizeInBytes))}"),
        var other => throw Bad($"digest algorithm {other} is unknown"),
    };

    private static void WriteSection(Span<byte> field, LayerIndexSection section)
    {
        BinaryPrimitives.WriteInt64LittleEndian(field, section.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(field[8..], section.StoredLength);
        BinaryPrimitives.WriteInt64LittleEndian(field[16..], section.Length);
        section.Checksum.CopyTo(field[24..]);
    }

    private static LayerIndexSection ReadSection(ReadOnlySpan<byte> field) => new(
        BinaryPrimitives.ReadInt64LittleEndian(field),
        BinaryPrimitives.ReadInt64LittleEndian(field[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(field[16..]),
        field[24..].ToArray());

    private static InvalidDataException Bad(string what) => new($"index, header: {what}");
}
