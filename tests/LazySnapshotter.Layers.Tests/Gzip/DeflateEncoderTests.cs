using System.IO.Compression;
using System.Security.Cryptography;
using LazySnapshotter.Codecs.Deflate;
using Xunit.Abstractions;

namespace LazySnapshotter.Layers.Tests.Gzip;

// Our encoder: whatever it writes, the runtime's inflater reads; it is the same everywhere; and it is not worse than zlib.
public sealed class DeflateEncoderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(300)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(200_000)]
    public void What_goes_in_comes_out(int length)
    {
        var random = new byte[length];
        new Random(length).NextBytes(random);
        AssertRoundTrip(random);
        AssertRoundTrip(new byte[length]);
        AssertRoundTrip(Enumerable.Range(0, length).Select(i => (byte)i).ToArray());
        AssertRoundTrip(Enumerable.Range(0, length).Select(i => (byte)(i % 3 == 0 ? random[i] : i / 1000)).ToArray());
    }

    [Fact]
    public void Random_mixtures_come_out_as_they_went_in()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 150; round++)
            AssertRoundTrip(Mixture(random, random.Next(1, round % 10 == 0 ? 300_000 : 5000)));
    }

    [Fact]
    public void Frequencies_like_fibonaccis_need_the_longest_codes()
    {
        // Each symbol nearly as frequent as all the rarer ones together: Huffman's own tree would be 24 levels deep.
        var content = new List<byte>();
        var (a, b) = (1, 1);
        for (var symbol = 0; symbol < 24; symbol++, (a, b) = (b, a + b))
            content.AddRange(Enumerable.Repeat((byte)symbol, a));
        var bytes = content.ToArray();
        new Random(3).Shuffle(bytes);
        AssertRoundTrip(bytes);

        Span<byte> lengths = stackalloc byte[24];
        int[] frequencies = [.. Enumerable.Range(0, 24).Select(i => bytes.Count(value => value == i))];
        foreach (var limit in (int[])[5, 7, 15])
        {
            DeflateHuffman.BuildLengths(frequencies, lengths, limit);
            Assert.Equal(limit, lengths.ToArray().Max());
            Assert.Equal(1 << limit, lengths.ToArray().Sum(length => 1 << (limit - length)));
        }
    }

    [Fact]
    public void It_is_about_as_small_as_zlib()
    {
        var text = Mixture(new Random(11), 1_000_000);
        var ours = DeflateEncoder.Encode(text).Length;
        var theirs = Zlib(text).Length;
        output.WriteLine($"{ours} bytes, zlib {theirs}");
        Assert.InRange(ours, 1, theirs * 1.05);
    }

    [Fact]
    public void Noise_is_stored()
    {
        var noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        Assert.InRange(DeflateEncoder.Encode(noise).Length, noise.Length, noise.Length + 20);
    }

    [Fact]
    public void The_bytes_are_the_same_on_every_machine()
    {
        // Golden: a change here changes every index file. System.Random with a seed is the same on all .NET versions.
        var bytes = DeflateEncoder.Encode(Mixture(new Random(5), 400_000));
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        output.WriteLine(hash);
        Assert.Equal("85ecca430f999ff7c9240eeeb668f1e2b84a85ebadb1992b02844af78b83fae8", hash);
    }

    /// <summary>Numbers, repetitions, text and noise, as columns have them.</summary>
    private static byte[] Mixture(Random random, int length)
    {
        var bytes = new List<byte>(length);
        while (bytes.Count < length)
        {
            var count = random.Next(1, 400);
            switch (random.Next(5))
            {
                case 0:
                    bytes.AddRange(Enumerable.Repeat((byte)random.Next(256), count));
                    break;
                case 1:
                    for (var i = 0; i < count; i++)
                        bytes.Add((byte)random.Next(256));
                    break;
                case 2 when bytes.Count > 0:
                    var start = Math.Max(0, bytes.Count - random.Next(1, 40_000));
                    bytes.AddRange(bytes.GetRange(start, Math.Min(count, bytes.Count - start)));
                    break;
                case 3:
                    for (var i = 0; i < count; i++)
                        bytes.Add((byte)(random.Next(4) * random.Next(3)));
                    break;
                default:
                    for (var i = 0; i < count; i++)
                        bytes.AddRange("the quick brown fox "u8[(4 * random.Next(4))..][..4]);
                    break;
            }
        }

        return [.. bytes.Take(length)];
    }

    private static void AssertRoundTrip(byte[] content)
    {
        var stored = DeflateEncoder.Encode(content);
        using var deflate = new DeflateStream(new MemoryStream(stored), CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        deflate.CopyTo(unpacked);
        Assert.True(unpacked.ToArray().AsSpan().SequenceEqual(content), $"{content.Length} bytes");
        Assert.Equal(stored, DeflateEncoder.Encode(content));
    }

    private static byte[] Zlib(byte[] content)
    {
        using var stored = new MemoryStream();
        using (var deflate = new DeflateStream(stored, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(content);
        return stored.ToArray();
    }
}
