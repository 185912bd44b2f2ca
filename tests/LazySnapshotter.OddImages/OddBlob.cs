using System.Buffers.Binary;
using System.IO.Compression;
using LazySnapshotter.Oci;

namespace LazySnapshotter.OddImages;

// A layer's tar as a blob: mostly one gzip member, at times compressed in other ways, damaged, or with a type that is not its.
internal sealed record OddBlob(byte[] Content, string MediaType, byte[] Tar)
{
    private const int GzipHeaderLength = 10;
    private const int GzipTrailerLength = 8;

    public static OddBlob Of(Dice dice, byte[] tar, bool isDocker)
    {
        var gzipType = isDocker ? MediaTypes.DockerLayerGzip : MediaTypes.OciLayerGzip;
        var how = "one member";
        if (dice.OneIn(6))
            how = dice.PickNoted("blob:", "stored", "members", "header fields", "plain", "zstd", "empty member", "a tar as gzip");
        else if (dice.OneIn(Math.Max(1, dice.Wrongness / 10)))
            how = dice.PickNoted("blob:", "zeros behind", "garbage behind", "wrong CRC", "cut short", "another type", "nothing");
        switch (how)
        {
            case "one member":
                return new OddBlob(Member(tar, CompressionLevel.Optimal), gzipType, tar);
            case "stored":
                return new OddBlob(Member(tar, CompressionLevel.NoCompression), gzipType, tar);
            case "members":
                return new OddBlob(Members(dice, tar), gzipType, tar);
            case "header fields":
                return new OddBlob(WithHeaderFields(dice, Member(tar, CompressionLevel.Fastest)), gzipType, tar);
            case "zeros behind":
                return new OddBlob([.. Member(tar), .. new byte[dice.Pick(1, 2, 9, 512, 5000)]], gzipType, tar);
            case "garbage behind":
                return new OddBlob([.. Member(tar), .. dice.Bytes(dice.Pick(1, 9, 600))], gzipType, tar);
            case "plain":
                return new OddBlob(tar, isDocker ? MediaTypes.DockerLayer : MediaTypes.OciLayer, tar);
            case "zstd":
                return new OddBlob(Zstd(tar), isDocker ? MediaTypes.DockerLayerZstd : MediaTypes.OciLayerZstd, tar);
            case "wrong CRC":
                var wrong = Member(tar);
                wrong[^dice.Pick(1, 5, 8)] ^= 1;
                return new OddBlob(wrong, gzipType, tar);
            case "cut short":
                var whole = Member(tar);
                return new OddBlob(whole[..^dice.Pick(1, 4, 8, 9, 20)], gzipType, tar);
            case "another type":
                var content = dice.Pick(0, 1, 2) switch { 0 => tar, 1 => Zstd(tar), _ => Member(tar) };
                var type = dice.PickNoted(
                    "type", gzipType, MediaTypes.OciLayer, MediaTypes.OciLayerZstd, MediaTypes.DockerLayer,
                    MediaTypes.OciLayerGzip + "+encrypted", MediaTypes.OciLayer + "+GZIP", "application/octet-stream", "text/plain", "");
                return new OddBlob(content, type, tar);
            case "empty member":
                return dice.OneIn(2) ? new OddBlob(Member([]), gzipType, []) : new OddBlob([.. Member([]), .. Member(tar)], gzipType, tar);
            case "a tar as gzip":
                return new OddBlob(tar, gzipType, tar);
            default:
                return new OddBlob([], gzipType, tar);
        }
    }

    private static byte[] Member(byte[] content, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, level, leaveOpen: true))
        {
            gzip.Write(content);
            gzip.Flush(); // .NET writes nothing at all for no content
        }

        return blob.Length > 0 ? blob.ToArray() : [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, .. new byte[8]];
    }

    private static byte[] Members(Dice dice, byte[] tar)
    {
        var blob = new List<byte>();
        for (var start = 0; start < tar.Length;)
        {
            var length = Math.Min(tar.Length - start, dice.Pick(1, 100, 512, 65_280));
            blob.AddRange(Member(tar[start..(start + length)]));
            start += length;
        }

        return [.. blob];
    }

    // RFC 1952, section 2.3.1: extra field, name, comment and the header's own checksum, in this order.
    private static byte[] WithHeaderFields(Dice dice, byte[] member)
    {
        const byte HeaderChecksum = 2, Extra = 4, Name = 8, Comment = 16;
        var flags = (byte)(1 + dice.Below(31) & ~1);
        var header = new List<byte>([.. member[..GzipHeaderLength]]) { [3] = (byte)(flags | dice.Below(2)) };
        if ((flags & Extra) != 0)
            header.AddRange([6, 0, .. "LZ"u8, 2, 0, 1, 2]);
        if ((flags & Name) != 0)
            header.AddRange([.. "layer\u00e4.tar"u8, 0]);
        if ((flags & Comment) != 0)
            header.AddRange([.. dice.Pick("", "a comment", new string('c', 600)).Select(character => (byte)character), 0]);
        if ((flags & HeaderChecksum) != 0)
        {
            // A member's trailer starts with the CRC of what is in it.
            var checksum = Member([.. header])[^GzipTrailerLength..^(GzipTrailerLength - 2)];
            header.AddRange(dice.Odd(10, "a header checksum that is wrong") ? [1, 2] : checksum);
        }

        return [.. header, .. member[GzipHeaderLength..]];
    }

    // RFC 8878: one frame of raw blocks, its length stated.
    private static byte[] Zstd(byte[] content)
    {
        const int BlockLengthMax = 128 << 10;
        var frame = new List<byte>([0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 0]);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
        for (var i = 0; i < length.Length; i++)
            frame[5 + i] = length[i];
        for (var start = 0; start == 0 || start < content.Length; start += BlockLengthMax)
        {
            var piece = content[start..Math.Min(content.Length, start + BlockLengthMax)];
            var head = piece.Length << 3 | (start + piece.Length == content.Length ? 1 : 0);
            frame.AddRange([(byte)head, (byte)(head >> 8), (byte)(head >> 16), .. piece]);
        }

        return [.. frame];
    }
}
