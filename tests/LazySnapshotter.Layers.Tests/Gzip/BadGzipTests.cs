using LazySnapshotter.Codecs.Gzip;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Deflate;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Damaged blobs: refused with the offset, or understood exactly as the undamaged one was.
public sealed class BadGzipTests
{
    private static readonly byte[] Tar = new TestTar()
        .Directory("dir").Add("dir/file", data: string.Concat(Enumerable.Range(0, 400).Select(i => $"line {i}\n"))).End();

    [Fact]
    public void Every_single_bit_flip_is_refused_or_changes_nothing_or_ends_the_stream_between_members()
    {
        byte[] blob = [.. TestGzip.Member(Tar[..2000], fullHeader: true), .. TestGzip.Member(Tar[2000..])];
        var unharmed = 0;
        for (var bit = 0; bit < blob.Length * 8; bit++)
        {
            var damaged = (byte[])blob.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var tar = Scan(damaged);
                // Without its magic number the second member is no member: the tar ends there, and says so itself.
                Assert.True(Tar.AsSpan().SequenceEqual(tar) || Tar.AsSpan(0, 2000).SequenceEqual(tar), $"bit {bit}");
                unharmed++;
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains("gzip, compressed offset ", exception.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(unharmed, 1, 100); // time, extra flags and system of the second header, which has no checksum
    }

    [Fact]
    public void A_blob_cut_anywhere_is_refused()
    {
        byte[] first = TestGzip.Member(Tar[..2000], fullHeader: true);
        byte[] blob = [.. first, .. TestGzip.Member(Tar[2000..])];
        for (var length = 1; length < blob.Length; length++)
        {
            if (length >= first.Length && length < first.Length + 10)
                continue; // a whole member, and no other has begun; that the tar is not whole is for the tar to say
            var cut = blob[..length];
            Assert.Contains(
                "gzip, compressed offset ", Assert.Throws<InvalidDataException>(() => Scan(cut)).Message, StringComparison.Ordinal);
        }

        Assert.Contains("tar is cut short", BuiltLayer.RefusalOf(first), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("x")]
    [InlineData("\0\0\0garbage")]
    [InlineData("\x1f\x8b")]
    [InlineData("\x1f")]
    [InlineData("\x1fx")]
    [InlineData("\x1f\x8b\x08\0\0")]
    [InlineData("\x1f\x8b\x08\xe0xxxxxx")]
    [InlineData("\x1f\x8b\x07\0xxxxxx")]
    public void What_follows_the_last_member_and_starts_none_is_passed_over(string tail)
    {
        byte[] blob = [.. TestGzip.Member(Tar), .. TestTar.Bytes(tail)];
        using var layer = BuiltLayer.Of(blob);
        Assert.Equal(Digest.OfSha256(Tar), layer.Index.DiffId);
        Assert.Equal(blob.Length, layer.Spans[new SpanId(layer.Spans.Count - 1)].CompressedEnd); // it has a digest like everything else
        Assert.Equal(Tar, layer.ReadTar(0, Tar.Length));
    }

    [Fact]
    public void A_member_behind_padding_is_padding()
    {
        byte[] blob = [.. TestGzip.Member(Tar), .. new byte[512], .. TestGzip.Member("more"u8.ToArray())];
        Assert.Equal(Tar, Scan(blob));
    }

    [Theory]
    [InlineData("\x1f\x8b\x08\0\0\0\0\0\0\x03", "cut short inside the deflate")]
    [InlineData("\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff\xff\xff", "invalid block type")]
    [InlineData("\x1f\x8b\x08\x08\0\0\0\0\0\x03name", "cut short inside the header")]
    public void What_starts_another_member_has_to_be_one(string tail, string complaint)
    {
        var blob = TestGzip.Member(Tar);
        var message = BuiltLayer.RefusalOf([.. blob, .. TestTar.Bytes(tail)]);
        Assert.StartsWith("gzip, compressed offset ", message, StringComparison.Ordinal);
        Assert.Contains(complaint, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_does_not_end_is_refused()
    {
        byte[] start = [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 0];
        Assert.Contains("header longer than 1048576", BuiltLayer.RefusalOf(
            [.. start, .. Enumerable.Repeat((byte)'n', 2_000_000)]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_that_goes_on_for_ever_makes_the_layer_unsupported()
    {
        // One fixed block of matches: 300 MB of zeros without a boundary.
        var tar = new TestTar().Add("zeros", size: 300_000_000).WithoutEnd();
        var blob = new MemoryStream();
        blob.Write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]);
        blob.Write(TestGzip.Stored(tar, tar.Length).AsSpan()[..^5]);
        var bits = new DeflateBits().FixedHeader(isLast: true).FixedSymbol(0);
        for (var i = 0; i < 300_000_000 / 258; i++)
        {
            bits.FixedSymbol(285); // length 258
            bits.Code(0, 5); // distance 1
        }

        blob.Write(bits.ToArray());

        Assert.Contains("no deflate block starts", Assert.Throws<UnsupportedLayerException>(
            () => BuiltLayer.Of(blob.ToArray())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_compressions_are_unsupported_and_say_so()
    {
        Assert.Contains("zstd", Assert.Throws<UnsupportedLayerException>(
            () => BuiltLayer.Of([0x28, 0xB5, 0x2F, 0xFD, .. new byte[600]])).Message, StringComparison.Ordinal);
        Assert.Contains(
            "xz", Assert.Throws<UnsupportedLayerException>(() => BuiltLayer.Of([0xFD, .. "7zXZ"u8, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("bzip2", Assert.Throws<UnsupportedLayerException>(
            () => BuiltLayer.Of("BZh91AY"u8.ToArray())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_decoder_survives_any_bytes_and_names_the_span_when_they_do_not_decode()
    {
        var tar = GzipProducerTests.RandomTar(seed: 20, length: 200_000);
        using var layer = BuiltLayer.Of(TestGzip.Member(tar), spanLength: 20_000);
        var decoder = new SpanDecoder(layer.Index);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var refused = 0;
        for (var round = 0; round < 500; round++)
        {
            var span = new SpanId(random.Next(layer.Spans.Count));
            var compressed = layer.Compressed(span);
            for (var i = random.Next(1, 5); i > 0; i--)
                compressed[random.Next(compressed.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                compressed = compressed[..random.Next(compressed.Length)];
            try
            {
                decoder.Decode(span, compressed, new byte[layer.Spans[span].UncompressedLength]);
            }
            catch (InvalidDataException exception)
            {
                refused++;
                Assert.StartsWith($"span {span}, compressed offset ", exception.Message, StringComparison.Ordinal);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}, round {round}: {exception}");
            }
        }

        Assert.True(refused > 0);
    }

    [Fact]
    public void A_decoder_serves_many_threads()
    {
        var tar = GzipProducerTests.RandomTar(seed: 21, length: 500_000);
        using var layer = BuiltLayer.Of(TestGzip.Member(tar), spanLength: 20_000);
        var decoder = new SpanDecoder(layer.Index);
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            var span = layer.Spans[new SpanId(i * 7 % layer.Spans.Count)];
            var length = (int)(span.UncompressedLength * (i % 10 + 1) / 10);
            var destination = new byte[length];
            decoder.Decode(span.Id, layer.Compressed(span.Id), destination);
            Assert.True(tar.AsSpan((int)span.UncompressedOffset, length).SequenceEqual(destination));
        });
    }

    private static byte[] Scan(byte[] blob)
    {
        var sink = new Collector();
        var scanner = new GzipScanner(sink);
        scanner.Append(blob);
        scanner.Complete();
        return sink.Content.ToArray();
    }

    private sealed class Collector : IGzipSink
    {
        public MemoryStream Content { get; } = new();

        public void Uncompressed(ReadOnlySpan<byte> bytes) => Content.Write(bytes);

        public void BlockStart(long startBit, long uncompressedOffset, bool isMemberStart)
        {
        }
    }
}
