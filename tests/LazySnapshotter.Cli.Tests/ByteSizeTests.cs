using LazySnapshotter.Cli.Output;

namespace LazySnapshotter.Cli.Tests;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536 << 10, "1.5 MiB")]
    [InlineData(long.MaxValue, "8388608.0 TiB")]
    public void Bytes_are_shown_in_the_largest_unit_that_leaves_a_whole(long bytes, string shown) =>
        Assert.Equal(shown, ByteSize.Format(bytes));

    [Theory]
    [InlineData("4194304", 4 << 20)]
    [InlineData("4MiB", 4 << 20)]
    [InlineData("4 MiB", 4 << 20)]
    [InlineData("64k", 64 << 10)]
    [InlineData("1.5K", 1536)]
    [InlineData("10MB", 10_000_000)]
    [InlineData("2G", 2L << 30)]
    [InlineData("0", 0)]
    public void Sizes_are_read_with_the_units_people_write(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("4 MiBs")]
    [InlineData("4x")]
    [InlineData("99999999999T")]
    public void What_is_no_size_is_refused(string text) => Assert.False(ByteSize.TryParse(text, out _));
}
