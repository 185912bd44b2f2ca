using LazySnapshotter.Codecs.Gzip;

namespace LazySnapshotter.Layers.Tests.Gzip;

public sealed class Crc32Tests
{
    [Fact]
    public void The_check_value_is_the_known_one() => Assert.Equal(0xCBF43926, Crc32.Append(0, "123456789"u8));

    [Fact]
    public void Every_length_and_every_cut_give_what_division_bit_by_bit_gives()
    {
        var bytes = new byte[5000];
        new Random(3).NextBytes(bytes);
        for (var length = 0; length < bytes.Length; length += length < 600 ? 1 : 111)
        {
            var expected = Divide(bytes.AsSpan(0, length));
            Assert.Equal(expected, Crc32.Append(0, bytes.AsSpan(0, length)));
            Assert.Equal(expected, ~Crc32.AppendByTable(~0u, bytes.AsSpan(0, length)));
            var cut = length * 2 / 3;
            Assert.Equal(expected, Crc32.Append(Crc32.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut..length)));
        }
    }

    /// <summary>RFC 1952, section 8, without its table.</summary>
    private static uint Divide(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
        }

        return ~crc;
    }
}
