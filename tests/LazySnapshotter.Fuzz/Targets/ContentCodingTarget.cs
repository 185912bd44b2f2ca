using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Fuzz.Targets;

// A document that came with a Content-Encoding which may or may not be true. The first byte says which.
internal sealed class ContentCodingTarget : FuzzTarget
{
    private const int LimitBytes = 64 * 1024;

    private static readonly string[] _codings = ["gzip", "deflate", "gzip, deflate", "deflate, gzip, x-gzip", "br"];

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "content-coding";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 2048;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        if (input.IsEmpty)
            throw new InvalidDataException("not even which");
        using var response = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        response.Content.Headers.TryAddWithoutValidation("Content-Encoding", _codings[input[0] % _codings.Length]);
        var document = ContentCoding.Of(response)!.UndoDocument(input[1..].ToArray(), LimitBytes)
            ?? throw new InvalidDataException("too long");
        if (document.Length > LimitBytes)
            throw new InvalidOperationException($"{document.Length} bytes");
    }

    private static byte[][] MakeSeeds()
    {
        var gzip = new GzipTarget().Seeds[0];
        var deflate = new InflateTarget().Seeds[2];
        using var zlib = new MemoryStream();
        using (var stream = new System.IO.Compression.ZLibStream(zlib, System.IO.Compression.CompressionMode.Compress, leaveOpen: true))
            stream.Write("some text"u8);
        return [[0, .. gzip], [1, .. deflate], [1, .. zlib.ToArray()], [2, .. gzip], [0, .. "{}"u8], [4, .. "{}"u8]];
    }
}
