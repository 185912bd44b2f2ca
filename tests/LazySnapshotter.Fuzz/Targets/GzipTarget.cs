using System.IO.Compression;
using LazySnapshotter.Codecs.Gzip;

namespace LazySnapshotter.Fuzz.Targets;

// The gzip framing around deflate: member headers with all their options, trailers, several members, padding. What is
// taken comes out the same however the input is cut; and what we take, .NET's reader takes too, to the same bytes.
internal sealed class GzipTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "gzip";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 8 * 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var output = Scan(input, input.Length);
        var inPieces = Scan(input, 1 + random.Next(64));
        if (!output.AsSpan().SequenceEqual(inPieces))
            throw new InvalidOperationException("other bytes when the blob comes in pieces");

        using var oracle = new GZipStream(new MemoryStream(input.ToArray()), CompressionMode.Decompress);
        using var expected = new MemoryStream();
        oracle.CopyTo(expected);
        if (!output.AsSpan().SequenceEqual(expected.ToArray()))
            throw new InvalidOperationException("zlib decodes to other bytes");
    }

    private static byte[] Scan(ReadOnlySpan<byte> input, int pieceLength)
    {
        var sink = new Sink();
        var scanner = new GzipScanner(sink);
        while (!input.IsEmpty)
        {
            var piece = input[..Math.Min(pieceLength, input.Length)];
            scanner.Append(piece);
            input = input[piece.Length..];
        }

        scanner.Complete();
        return sink.Output.ToArray();
    }

    private static byte[][] MakeSeeds()
    {
        var one = Member("a member with some text in it, some text"u8);
        byte[] full =
        [
            0x1F, 0x8B, 8, 4 | 8 | 16, 1, 2, 3, 4, 2, 3, 5, 0, .. "extra"u8, .. "name"u8, 0, .. "comment"u8, 0, .. one.AsSpan(10),
        ];
        return [one, full, [.. one, .. full, .. Member("third"u8)], [.. one, .. new byte[700]]];
    }

    private static byte[] Member(ReadOnlySpan<byte> text)
    {
        using var stored = new MemoryStream();
        using (var gzip = new GZipStream(stored, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(text);
        return stored.ToArray();
    }

    private sealed class Sink : IGzipSink
    {
        private long _lastBit = -1;

        public MemoryStream Output { get; } = new();

        public void Uncompressed(ReadOnlySpan<byte> bytes) => Output.Write(bytes);

        public void BlockStart(long startBit, long uncompressedOffset, bool isMemberStart)
        {
            if (startBit <= _lastBit || uncompressedOffset != Output.Length)
                throw new InvalidOperationException(
                    $"a block at bit {startBit}, uncompressed offset {uncompressedOffset} of {Output.Length}");
            _lastBit = startBit;
        }
    }
}
