using System.Buffers.Binary;
using System.IO.Compression;
using LazySnapshotter.Codecs.Gzip;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Makes gzip members by hand: every header field, and deflate data as it comes.
internal static class TestGzip
{
    /// <summary>A member with all optional header fields, or none.</summary>
    public static byte[] Member(byte[] content, bool fullHeader = false, CompressionLevel level = CompressionLevel.Optimal)
    {
        if (content.Length == 0)
            return Frame(content, [3, 0], fullHeader); // DeflateStream writes nothing at all for nothing
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, level, leaveOpen: true))
            deflate.Write(content);
        return Frame(content, deflated.ToArray(), fullHeader);
    }

    /// <summary>A member whose deflate data is ready: some stored blocks, for one.</summary>
    public static byte[] Frame(byte[] content, byte[] deflated, bool fullHeader = false)
    {
        var trailer = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.Append(0, content));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(4), (uint)content.Length);
        return [.. Header(fullHeader), .. deflated, .. trailer];
    }

    /// <summary>Stored blocks, with empty ones between them as a flush leaves them.</summary>
    public static byte[] Stored(byte[] content, int blockLength, int emptyBlocks = 0)
    {
        using var deflated = new MemoryStream();
        for (var start = 0; start < content.Length; start += blockLength)
        {
            Block(content.AsSpan(start, Math.Min(blockLength, content.Length - start)), last: false);
            for (var i = 0; i < emptyBlocks; i++)
                Block([], last: false);
        }

        Block([], last: true);
        return deflated.ToArray();

        void Block(ReadOnlySpan<byte> bytes, bool last)
        {
            deflated.Write(
                [(byte)(last ? 1 : 0), (byte)bytes.Length, (byte)(bytes.Length >> 8), (byte)~bytes.Length, (byte)(~bytes.Length >> 8)]);
            deflated.Write(bytes);
        }
    }

    /// <summary>Blocks that refer to one another, each of so many bytes of content, and empty ones between them.</summary>
    public static byte[] Flushed(byte[] content, int blockLength)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var start = 0; start < content.Length; start += blockLength)
            {
                deflate.Write(content.AsSpan(start, Math.Min(blockLength, content.Length - start)));
                deflate.Flush();
            }
        }

        return deflated.ToArray();
    }

    private static byte[] Header(bool full)
    {
        if (!full)
            return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
        byte[] header =
        [
            0x1F, 0x8B, 8, 1 | 2 | 4 | 8 | 16, 1, 2, 3, 4, 2, 3,
            5, 0, .. "extra"u8,
            .. "name.tar"u8, 0,
            .. "a comment"u8, 0,
        ];
        var crc = Crc32.Append(0, header);
        return [.. header, (byte)crc, (byte)(crc >> 8)];
    }
}
