using System.Buffers.Binary;
using System.Security.Cryptography;
using LazySnapshotter.Codecs.Deflate;
using LazySnapshotter.Layers.Format;

namespace LazySnapshotter.Fuzz.Targets;

// The columns inside an index file, damaged before they are packed: an input is the TOC's columns, the spans' columns and
// the windows, and becomes a file in which every checksum is right.
internal sealed class IndexColumnsTarget : FuzzTarget
{
    private const int LengthsLength = 8;

    private readonly Lazy<(LayerIndexHeader Header, byte[] Columns)> _sample = new(static () => Unpack(SampleIndex.Make(8192)));

    public override string Name => "index-columns";

    public override IReadOnlyList<byte[]> Seeds => [_sample.Value.Columns];

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random) => SampleIndex.Use(Pack(_sample.Value.Header, input));

    // Lengths of the two sections' columns, then everything.
    private static (LayerIndexHeader Header, byte[] Columns) Unpack(byte[] file)
    {
        var header = LayerIndexHeader.Parse(file.AsSpan(0, LayerIndexHeader.Length), file.Length);
        var toc = Section(file, header.Toc);
        var spans = Section(file, header.Spans);
        var lengths = new byte[LengthsLength];
        BinaryPrimitives.WriteInt32LittleEndian(lengths, toc.Length);
        BinaryPrimitives.WriteInt32LittleEndian(lengths.AsSpan(sizeof(int)), spans.Length);
        return (header, [.. lengths, .. toc, .. spans, .. file.AsSpan((int)header.WindowsStart, (int)header.WindowsLength)]);
    }

    private static byte[] Section(byte[] file, LayerIndexSection section)
    {
        using var deflate = new System.IO.Compression.DeflateStream(
            new MemoryStream(file, (int)section.Offset, (int)section.StoredLength), System.IO.Compression.CompressionMode.Decompress);
        using var columns = new MemoryStream();
        deflate.CopyTo(columns);
        return columns.ToArray();
    }

    private static byte[] Pack(LayerIndexHeader sample, ReadOnlySpan<byte> input)
    {
        if (input.Length < LengthsLength)
            throw new InvalidDataException("not even the lengths");
        var rest = input[LengthsLength..];
        var tocLength = (int)((uint)BinaryPrimitives.ReadInt32LittleEndian(input) % (uint)(rest.Length + 1));
        var spansLength = (int)((uint)BinaryPrimitives.ReadInt32LittleEndian(input[sizeof(int)..]) % (uint)(rest.Length - tocLength + 1));
        var toc = DeflateEncoder.Encode(rest[..tocLength]);
        var spans = DeflateEncoder.Encode(rest.Slice(tocLength, spansLength));
        var windows = rest[(tocLength + spansLength)..];

        var spansOffset = LayerIndexHeader.Length + toc.Length;
        var windowsStart = spansOffset + spans.Length;
        var header = (sample with
        {
            Toc = new LayerIndexSection(LayerIndexHeader.Length, toc.Length, tocLength, SHA256.HashData(toc)),
            Spans = new LayerIndexSection(spansOffset, spans.Length, spansLength, SHA256.HashData(spans)),
            WindowsStart = windowsStart,
            WindowsLength = windows.Length,
            FileLength = windowsStart + windows.Length + LayerIndexFooter.Length,
        }).WithId();
        byte[] content = [.. header.ToBytes(), .. toc, .. spans, .. windows];
        return [.. content, .. LayerIndexFooter.ToBytes(header, SHA256.HashData(content))];
    }
}
