using System.Security.Cryptography;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Tests.Store;

// A layer whose "compression" is xor with 0x5A, span by span: enough to see that spans are cut and decoded rightly,
// shared boundary bytes included, without a gzip index.
internal sealed class TestLayer
{
    private const byte Mask = 0x5A;

    private TestLayer(byte[] blob, byte[] tar, SpanTable spans)
    {
        Blob = blob;
        Tar = tar;
        Spans = spans;
        Digest = Digest.OfSha256(blob);
    }

    public byte[] Blob { get; }

    public byte[] Tar { get; }

    public SpanTable Spans { get; }

    public Digest Digest { get; }

    /// <summary>A layer made elsewhere, which has a decoder of its own.</summary>
    public static TestLayer Of(byte[] blob, byte[] tar, SpanTable spans) => new(blob, tar, spans);

    /// <summary>Spans of one length, on byte boundaries.</summary>
    public static TestLayer Uniform(int spanCount, int spanBytes, int seed = 1) =>
        Create(seed, spanCount * spanBytes, Enumerable.Range(0, spanCount).Select(i => (long)i * spanBytes * 8).ToArray());

    /// <summary>Spans of random lengths that start at any bit.</summary>
    public static TestLayer Random(int seed, int blobBytes, int spanBytesMax)
    {
        var random = new Random(seed);
        var startBits = new List<long> { 0 };
        while (startBits[^1] + spanBytesMax * 8L < blobBytes * 8L)
            startBits.Add(startBits[^1] + random.Next(1, spanBytesMax * 8));
        return Create(seed, blobBytes, [.. startBits]);
    }

    /// <summary>The first span starts behind some bytes that belong to none, as behind a gzip header.</summary>
    public static TestLayer WithHead(int headBytes, int spanCount, int spanBytes) =>
        Create(seed: 3, headBytes + (spanCount * spanBytes), Enumerable.Range(0, spanCount)
            .Select(i => (headBytes + ((long)i * spanBytes)) * 8).ToArray());

    /// <summary>The same with an index that is wrong about one span.</summary>
    public TestLayer WithWrongDigest(int span)
    {
        var all = Enumerable.Range(0, Spans.Count).Select(i => new SpanId(i)).ToArray();
        var digests = all.SelectMany(id => Spans.DigestOf(id).ToArray()).ToArray();
        digests[span * SHA256.HashSizeInBytes] ^= 1;
        return new TestLayer(Blob, Tar, new SpanTable(
            [.. all.Select(Spans.StartBit)], [.. all.Select(id => Spans[id].UncompressedOffset)], digests, Spans.CompressedLength,
            Spans.UncompressedLength));
    }

    public static void Decode(SpanId span, ReadOnlySpan<byte> compressed, Span<byte> destination)
    {
        for (var i = 0; i < compressed.Length; i++)
            destination[i] = (byte)(compressed[i] ^ Mask);
    }

    public BlobServer Serve() => new(Blob, Digest);

    /// <summary>The tar offset at which a span starts.</summary>
    public long StartOf(int span) => Spans[new SpanId(span)].UncompressedOffset;

    public byte[] TarOf(int span)
    {
        var it = Spans[new SpanId(span)];
        return Tar[(int)it.UncompressedOffset..(int)it.UncompressedEnd];
    }

    public byte[] BlobOf(int span)
    {
        var it = Spans[new SpanId(span)];
        return Blob[(int)it.CompressedOffset..(int)it.CompressedEnd];
    }

    private static TestLayer Create(int seed, int blobBytes, long[] startBits)
    {
        var blob = new byte[blobBytes];
        new Random(seed).NextBytes(blob);
        var tar = new MemoryStream();
        var offsets = new long[startBits.Length];
        var digests = new byte[startBits.Length * SHA256.HashSizeInBytes];
        for (var i = 0; i < startBits.Length; i++)
        {
            var start = (int)(startBits[i] / 8);
            var end = i == startBits.Length - 1 ? blobBytes : (int)((startBits[i + 1] + 7) / 8);
            offsets[i] = tar.Length;
            foreach (var value in blob.AsSpan(start, end - start))
                tar.WriteByte((byte)(value ^ Mask));
            SHA256.HashData(blob.AsSpan(start, end - start), digests.AsSpan(i * SHA256.HashSizeInBytes));
        }

        return new TestLayer(blob, tar.ToArray(), new SpanTable(startBits, offsets, digests, blobBytes, tar.Length));
    }
}
