using System.IO.Compression;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Whoever compressed the layer, however it is framed: every byte of the tar comes back through every checkpoint.
public sealed class GzipProducerTests : IDisposable
{
    private const long SpanLength = 32 * 1024;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gzip -1")]
    [InlineData("gzip -6")]
    [InlineData("gzip -9 --rsyncable")]
    [InlineData("gzip -6 --name")]
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(1,8,31); d=sys.stdin.buffer.read(); " +
        "sys.stdout.buffer.write(c.compress(d)+c.flush())'")]
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31,9,zlib.Z_FIXED); d=sys.stdin.buffer.read(); " +
        "sys.stdout.buffer.write(c.compress(d)+c.flush())'")]
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31,9,zlib.Z_HUFFMAN_ONLY); d=sys.stdin.buffer.read(); " +
        "sys.stdout.buffer.write(c.compress(d)+c.flush())'")]
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(0,8,31); d=sys.stdin.buffer.read(); " +
        "sys.stdout.buffer.write(c.compress(d)+c.flush())'")]
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,25); d=sys.stdin.buffer.read(); " +
        "sys.stdout.buffer.write(c.compress(d)+c.flush())'")]
    // How pigz cuts its chunks: sync flush (an empty stored block) or partial flush (an empty fixed block) after each.
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31); d=sys.stdin.buffer.read(); " +
        "[sys.stdout.buffer.write(c.compress(d[i:i+40000])+c.flush(zlib.Z_SYNC_FLUSH)) for i in range(0,len(d),40000)]; " +
        "sys.stdout.buffer.write(c.flush())'")]
    [InlineData("python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31); d=sys.stdin.buffer.read(); " +
        "[sys.stdout.buffer.write(c.compress(d[i:i+40000])+c.flush(zlib.Z_PARTIAL_FLUSH)+c.flush(zlib.Z_FULL_FLUSH)) for i in " +
        "range(0,len(d),40000)]; sys.stdout.buffer.write(c.flush())'")]
    // bgzip, mgzip, and people who concatenate: one member after the other.
    [InlineData("split -b 50000 --filter='gzip -9'")]
    public void Any_producer_can_be_read_from_every_checkpoint(string command)
    {
        var tar = RandomTar(seed: 7, length: 1_500_000);
        File.WriteAllBytes(_folder["tar"], tar);
        Tool.Shell($"{command} < '{_folder["tar"]}' > '{_folder["gz"]}'");
        using var layer = BuiltLayer.Of(File.ReadAllBytes(_folder["gz"]), SpanLength);
        AssertReadable(tar, layer);
    }

    [Theory]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.SmallestSize)]
    [InlineData(CompressionLevel.NoCompression)]
    public void Dotnet_can_be_read_from_every_checkpoint(CompressionLevel level)
    {
        var tar = RandomTar(seed: 8, length: 1_500_000);
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, level, leaveOpen: true))
            gzip.Write(tar);
        using var layer = BuiltLayer.Of(compressed.ToArray(), SpanLength);
        AssertReadable(tar, layer);
    }

    [Fact]
    public void Members_with_every_header_field_may_start_anywhere_in_a_span()
    {
        var tar = RandomTar(seed: 9, length: 600_000);
        var random = new Random(9);
        using var blob = new MemoryStream();
        for (var start = 0; start < tar.Length;)
        {
            var length = Math.Min(random.Next(0, 20_000), tar.Length - start); // some members are empty
            var level = (CompressionLevel)random.Next(4);
            blob.Write(TestGzip.Member(tar[start..(start + length)], fullHeader: random.Next(2) == 0, level));
            start += length;
        }

        blob.Write(TestGzip.Member([])); // an empty last member
        using var layer = BuiltLayer.Of(blob.ToArray(), SpanLength);
        AssertReadable(tar, layer);
        Assert.Contains(Enumerable.Range(1, layer.Spans.Count - 1), i => layer.Index.LoadWindow(new(i)).IsEmpty);
    }

    [Fact]
    public void Empty_blocks_make_no_empty_spans()
    {
        var tar = RandomTar(seed: 10, length: 300_000);
        using var layer = BuiltLayer.Of(TestGzip.Frame(tar, TestGzip.Stored(tar, 10_000, emptyBlocks: 50)), SpanLength);
        AssertReadable(tar, layer);
        Assert.All(Enumerable.Range(0, layer.Spans.Count), i => Assert.NotEqual(0, layer.Spans[new(i)].UncompressedLength));
    }

    [Fact]
    public void Nul_padding_behind_the_last_member_belongs_to_the_last_span()
    {
        var tar = RandomTar(seed: 11, length: 200_000);
        byte[] blob = [.. TestGzip.Member(tar), .. new byte[10_000]];
        using var layer = BuiltLayer.Of(blob, SpanLength);
        AssertReadable(tar, layer);
        Assert.Equal(blob.Length, layer.Spans[new(layer.Spans.Count - 1)].CompressedEnd);
    }

    [Fact]
    public void Endless_empty_blocks_cost_a_checkpoint_and_no_memory()
    {
        var tar = RandomTar(seed: 12, length: 100_000);
        var empty = TestGzip.Stored([1], 1, emptyBlocks: 2_000_000)[6..^5]; // 10 MB of nothing
        var head = TestGzip.Stored(tar[..50_000], 50_000)[..^5];
        var tail = TestGzip.Stored(tar[50_000..], 25_000);
        using var layer = BuiltLayer.Of(TestGzip.Frame(tar, [.. head, .. empty, .. tail]), SpanLength);
        AssertReadable(tar, layer, reads: 10); // each goes through two million blocks
    }

    [Fact]
    public void An_uncompressed_tar_has_spans_of_equal_length()
    {
        var tar = RandomTar(seed: 13, length: 200_000);
        using var layer = BuiltLayer.Of(tar, SpanLength);
        Assert.Equal(LayerCompression.None, layer.Index.Compression);
        Assert.Equal((tar.Length + SpanLength - 1) / SpanLength, layer.Spans.Count);
        Assert.Equal(layer.Index.LayerDigest, layer.Index.DiffId);
        AssertReadable(tar, layer);
    }

    [Fact]
    public void How_the_bytes_arrive_makes_no_difference()
    {
        var tar = RandomTar(seed: 14, length: 300_000);
        byte[] blob = [.. TestGzip.Member(tar[..100_000], fullHeader: true), .. TestGzip.Member(tar[100_000..])];
        var ids = Enumerable.Range(0, 20).Select(seed =>
        {
            using var layer = BuiltLayer.Of(blob, SpanLength, seed);
            return Convert.ToHexString(File.ReadAllBytes(layer.Path));
        });
        Assert.Single(ids.Distinct());
    }

    /// <summary>A tar with one large file of words, noise and repetition, as layers have them.</summary>
    internal static byte[] RandomTar(int seed, int length)
    {
        var random = new Random(seed);
        var content = new char[length];
        for (var i = 0; i < length;)
        {
            var piece = Math.Min(random.Next(1, 3000), length - i);
            var kind = random.Next(3);
            for (var j = 0; j < piece; j++, i++)
                content[i] = kind switch { 0 =>
                    (char)random.Next(256), 1 => "lazy layers "[j % 12], _ => i > 20_000 ? content[i - 20_000] : 'x' };
        }

        return new TestTar().Directory("d").Add("d/large", data: new string(content)).Add("d/small", data: "small").End();
    }

    private static void AssertReadable(byte[] tar, BuiltLayer layer, int reads = 300)
    {
        Assert.Equal(Oci.Digest.OfSha256(tar), layer.Index.DiffId);
        Assert.Equal(tar.Length, layer.Spans.UncompressedLength);
        Assert.True(tar.AsSpan().SequenceEqual(layer.ReadTar(0, tar.Length)));

        var random = new Random(1);
        for (var i = 0; i < reads; i++)
        {
            var offset = random.Next(tar.Length);
            var length = random.Next(Math.Min(100_000, tar.Length - offset)) + 1;
            Assert.True(tar.AsSpan(offset, length).SequenceEqual(layer.ReadTar(offset, length)), $"{offset}+{length}");
        }
    }
}
