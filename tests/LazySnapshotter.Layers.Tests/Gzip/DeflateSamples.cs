using System.IO.Compression;
using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.TestSupport.Deflate;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Real bytes (this test's own programs and their documentation) by real compressors, and a small stream with everything
// in it that deflate has.
internal static class DeflateSamples
{
    private static readonly Lazy<byte[]> RealContent = new(() =>
    {
        var content = new MemoryStream();
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory).Order(StringComparer.Ordinal))
        {
            if (Path.GetExtension(file) is not (".dll" or ".xml" or ".json") || content.Length > 1_000_000)
                continue;
            var bytes = File.ReadAllBytes(file);
            content.Write(bytes.AsSpan(0, Math.Min(bytes.Length, 150_000)));
        }

        return content.ToArray();
    });

    /// <summary>Shell commands from standard input to a gzip file; "" is .NET's own zlib-ng.</summary>
    public static readonly TheoryData<string> Compressors = new(
        "gzip -6",
        "pigz -6 -b 128 -p 2",
        "igzip -1",
        "libdeflate-gzip -12",
        // Go's compressor, as in images by umoci, skopeo, podman.
        "d=$(mktemp -d); trap 'rm -r $d' EXIT; cat > $d/tar; (umoci init --layout $d/l; umoci new --image $d/l:x; umoci raw add-layer " +
            "--image $d/l:x $d/tar) >/dev/null; cat $(ls -S $d/l/blobs/sha256/* | head -n 1)",
        "");

    public static byte[] Content => RealContent.Value;

    /// <summary>A deflate stream, its gzip framing taken off.</summary>
    public static byte[] Compress(byte[] content, string compressor)
    {
        if (compressor.Length == 0)
            return Deflate(content, CompressionLevel.SmallestSize);

        using var folder = new TestFolder();
        File.WriteAllBytes(folder["in"], content);
        Tool.Shell($"({compressor}) < '{folder["in"]}' > '{folder["out"]}'");
        var gzip = File.ReadAllBytes(folder["out"]);
        var header = default(GzipHeader);
        var length = header.Append(gzip, out var error);
        Assert.Null(error);
        return gzip[length..^8];
    }

    public static byte[] Deflate(byte[] content, CompressionLevel level)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, level, leaveOpen: true))
            deflate.Write(content);
        return deflated.ToArray();
    }

    /// <summary>Stored, fixed and dynamic blocks, empty ones among them; matches from 3 to 258 bytes and from 1 byte to far away.</summary>
    public static byte[] Everything { get; } = MakeEverything();

    private static byte[] MakeEverything()
    {
        var bits = new DeflateBits();
        bits.EmptyFixed().EmptyDynamic();
        bits.Stored("some bytes to refer to, and then some more of them"u8, isLast: false);
        bits.FixedHeader(isLast: false);
        foreach (var literal in "fixed \x90\xff"u8)
            bits.FixedSymbol(literal);
        for (var distance = 0; distance < 4; distance++)
            bits.FixedSymbol(257 + 7 * distance).Number(0, distance == 0 ? 0 : distance - 1 + (distance == 3 ? 1 : 0)).Code(distance, 5);
        bits.FixedSymbol(285).Code(0, 5).FixedSymbol(284).Number(31, 5).Code(2, 5).FixedSymbol(256);
        bits.Stored([], isLast: false);

        // Codes of all lengths up to 15, so that there are subtables: each symbol half as likely as the one before.
        byte[] lengths = new byte[286];
        var symbols = new[] { 'e', 't', 'a', 'o', 'n', 'i', 's', 'r', 257, 264, 265, 285, 'h', 256, 'q', 'z' };
        for (var i = 0; i < symbols.Length; i++)
            lengths[symbols[i]] = (byte)Math.Min(i + 1, 15);
        byte[] distances = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15];
        bits.Dynamic(isLast: true, lengths, distances);
        var random = new Random(4);
        for (var i = 0; i < 400; i++)
        {
            var symbol = symbols[random.Next(symbols.Length)];
            if (symbol == 256)
                continue;
            Canonical(bits, lengths, symbol);
            if (symbol < 256)
                continue;
            if (symbol == 265)
                bits.Number(random.Next(2), 1);
            var distance = random.Next(14); // up to 128 back
            Canonical(bits, distances, distance);
            bits.Number(0, distance < 4 ? 0 : distance / 2 - 1);
        }

        Canonical(bits, lengths, 256);
        return bits.ToArray();
    }

    /// <summary>Writes a symbol in the code that has these lengths.</summary>
    public static void Canonical(DeflateBits bits, ReadOnlySpan<byte> lengths, int symbol)
    {
        var code = 0;
        for (var length = 1; length <= lengths[symbol]; length++)
        {
            code <<= 1;
            for (var other = 0; other < lengths.Length; other++)
            {
                if (length == lengths[symbol] && other == symbol)
                    break;
                if (lengths[other] == length)
                    code++;
            }
        }

        bits.Code(code, lengths[symbol]);
    }
}
