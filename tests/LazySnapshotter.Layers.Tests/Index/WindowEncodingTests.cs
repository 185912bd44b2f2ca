using System.IO.Compression;
using LazySnapshotter.Codecs.Deflate;
using LazySnapshotter.Layers.Format;
using Xunit.Abstractions;

namespace LazySnapshotter.Layers.Tests.Index;

// Sparse windows: what is referenced comes back, all else is 0, and nothing else is taken for a window.
public sealed class WindowEncodingTests(ITestOutputHelper output)
{
    [Fact]
    public void Referenced_bytes_come_back_and_all_others_are_zero()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            var window = new byte[round % 4 == 0 ? WindowEncoding.WindowLengthMax : random.Next(WindowEncoding.WindowLengthMax + 1)];
            random.NextBytes(window);
            var referenced = RandomRuns(random, window.Length);
            var expected = new byte[window.Length];
            for (var i = 0; i < window.Length; i++)
                expected[i] = IsSet(referenced, i) ? window[i] : (byte)0;

            var stored = WindowEncoding.Encode(window, referenced);
            var decoded = new byte[window.Length];
            decoded.AsSpan().Fill(0xEE);
            WindowEncoding.Decode(stored, decoded);
            Assert.Equal(expected, decoded);

            // The same bytes lie before the checkpoint whatever the reader takes the window's length to be.
            var full = new byte[WindowEncoding.WindowLengthMax];
            WindowEncoding.Decode(stored, full);
            Assert.Equal(expected, full[^expected.Length..]);
            Assert.Equal(-1, full.AsSpan(0, full.Length - expected.Length).IndexOfAnyExcept((byte)0));
            Assert.InRange(stored.Length, 0, LayerIndexLimits.StoredWindowLengthMax);
        }
    }

    [Fact]
    public void The_worst_window_fits_its_limit()
    {
        var window = new byte[WindowEncoding.WindowLengthMax];
        new Random(1).NextBytes(window);
        Assert.InRange(
            WindowEncoding.Encode(window, WindowEncoding.AllReferenced).Length, window.Length, LayerIndexLimits.StoredWindowLengthMax);
        var everyOther = Enumerable.Repeat(0x5555555555555555UL, WindowEncoding.ReferencedWords).ToArray();
        var decoded = new byte[window.Length];
        WindowEncoding.Decode(WindowEncoding.Encode(window, everyOther), decoded);
        Assert.Equal(window[32766], decoded[32766]);
        Assert.Equal(0, decoded[32767]);
    }

    [Fact]
    public void Nothing_referenced_is_stored_as_nothing()
    {
        Assert.Empty(WindowEncoding.Encode(new byte[1000], new ulong[WindowEncoding.ReferencedWords]));
        Assert.Empty(WindowEncoding.Encode([], WindowEncoding.AllReferenced));
        var window = new byte[] { 1, 2, 3 };
        WindowEncoding.Decode([], window);
        Assert.Equal(new byte[3], window);
    }

    [Theory]
    [InlineData("leaves the window", new byte[] { 1, 0xFF, 0xFF, 1, 2, 5, 6 })] // a byte before the end, two long
    [InlineData("leaves the window", new byte[] { 1, 0, 0 })]                   // an empty run
    [InlineData("where 1 are left", new byte[] { 1, 0, 3, 5 })]                 // fewer bytes than the runs have
    [InlineData("left over", new byte[] { 1, 0, 1, 5, 6 })]
    [InlineData("run count", new byte[] { 100, 0, 1, 5 })]
    [InlineData("more than 32768", new byte[] { 1, 0x81, 0x80, 2, 1, 5 })]
    [InlineData("cut short", new byte[] { 2, 0, 1 })]
    public void Runs_that_make_no_sense_are_refused(string reason, byte[] columns)
    {
        var message = Assert.Throws<InvalidDataException>(
            () => WindowEncoding.Decode(DeflateEncoder.Encode(columns), new byte[32768])).Message;
        Assert.Contains("index, window", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_longer_than_any_window_is_refused()
    {
        using var stored = new MemoryStream();
        using (var deflate = new DeflateStream(stored, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(new byte[200_000]);
        foreach (var bytes in (
            byte[][])[stored.ToArray(), [7, 7, 7], [.. DeflateEncoder.Encode([1, 0, 1, 5]), 0], DeflateEncoder.Encode([1, 0, 1, 5])[..^1]])
        {
            var message = Assert.Throws<InvalidDataException>(() => WindowEncoding.Decode(bytes, new byte[32768])).Message;
            Assert.StartsWith("index, window: ", message, StringComparison.Ordinal);
        }
    }

    private static ulong[] RandomRuns(Random random, int length)
    {
        var bits = new ulong[WindowEncoding.ReferencedWords];
        for (var position = random.Next(100); position < length;)
        {
            for (var end = Math.Min(length, position + random.Next(1, 200)); position < end; position++)
                bits[position / 64] |= 1UL << (position % 64);
            position += random.Next(1, 2000);
        }

        return bits;
    }

    private static bool IsSet(ulong[] bits, int position) => (bits[position / 64] >> (position % 64) & 1) != 0;
}
