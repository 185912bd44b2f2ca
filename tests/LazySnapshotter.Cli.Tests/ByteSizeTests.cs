namespace LazySnapshotter.Cli.Tests;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536 << 10, "1.5 MiB")]
    [InlineData(long.MaxValue, "8388608.0 TiB")]
    public void Bytes_are_shown_in_the_largest_unit_that_leaves_a_whole(long bytes, string shown) => Assert.Equal(shown, ByteSize.Format(bytes));
}
