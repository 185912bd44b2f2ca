using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LazySnapshotter.Layers.Format;

// The last bytes of an index file: one checksum over all before them, and the header's main fields once more
// (docs/FORMATS.md, "Footer"). The header lets a reader start with the front of a file and trust each part by itself;
// the footer lets anybody who has the whole file prove it with a single hash, and shows that its end is its end.
internal static class LayerIndexFooter
{
    private const int VersionOffset = SHA256.HashSizeInBytes;
    private const int CompressionOffset = VersionOffset + 4;
    private const int FileLengthOffset = CompressionOffset + 4;
    private const int CompressedLengthOffset = FileLengthOffset + 8;
    private const int UncompressedLengthOffset = CompressedLengthOffset + 8;
    private const int LayerDigestOffset = UncompressedLengthOffset + 8;
    private const int MagicOffset = LayerDigestOffset + LayerIndexHeader.DigestLength;

    public const int Length = MagicOffset + 8;

    /// <summary>The header's magic backwards.</summary>
    public static ReadOnlySpan<byte> Magic => [0x0A, 0x1A, 0x0A, 0x0D, (byte)'I', (byte)'S', (byte)'L', 0x89];

    /// <param name="checksum">SHA-256 of the file up to here.</param>
    public static byte[] ToBytes(LayerIndexHeader header, ReadOnlySpan<byte> checksum)
    {
        var bytes = new byte[Length];
        checksum.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(VersionOffset), LayerIndexHeader.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CompressionOffset), (uint)header.Compression);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(FileLengthOffset), header.FileLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(CompressedLengthOffset), header.CompressedLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(UncompressedLengthOffset), header.UncompressedLength);
        LayerIndexHeader.WriteDigest(bytes.AsSpan(LayerDigestOffset, LayerIndexHeader.DigestLength), header.LayerDigest);
        Magic.CopyTo(bytes.AsSpan(MagicOffset));
        return bytes;
    }

    /// <summary>Compares the footer with the header, all but the checksum.</summary>
    /// <exception cref="InvalidDataException">They disagree; the message says in what.</exception>
    public static void Check(ReadOnlySpan<byte> bytes, LayerIndexHeader header)
    {
        if (!bytes[MagicOffset..].SequenceEqual(Magic))
            throw Bad("wrong magic: the file is cut short or something was written over its end");
        var expected = ToBytes(header, bytes[..VersionOffset]).AsSpan();
        if (!Same(bytes, expected, VersionOffset, CompressionOffset))
            throw Bad("its version is not the header's");
        if (!Same(bytes, expected, CompressionOffset, LayerDigestOffset))
            throw Bad("its lengths are not the header's");
        if (!Same(bytes, expected, LayerDigestOffset, MagicOffset))
            throw Bad("its layer is not the header's");
    }

    /// <exception cref="InvalidDataException">The file is not what was written.</exception>
    public static void CheckContent(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> checksum)
    {
        if (!bytes[..VersionOffset].SequenceEqual(checksum))
            throw Bad("the file's checksum does not match");
    }

    private static bool Same(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected, int start, int end) =>
        bytes[start..end].SequenceEqual(expected[start..end]);

    private static InvalidDataException Bad(string what) => new($"index, footer: {what}");
}
