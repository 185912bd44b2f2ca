using System.Text;

namespace LazySnapshotter.Linux.Tests;

public sealed class LinuxPathTests
{
    [Fact]
    public void Text_and_bytes_make_the_same_path()
    {
        LinuxPath path = "/a/ü";
        Assert.Equal(path, new LinuxPath(Encoding.UTF8.GetBytes("/a/ü")));
        Assert.Equal("/a/ü", path.ToString());
    }

    [Fact]
    public void A_zero_byte_inside_is_refused() =>
        Assert.Throws<ArgumentException>(() => new LinuxPath("/etc/passwd\0.txt"));

    [Theory]
    [InlineData("/a", "/a/b")]
    [InlineData("/a/", "/a/b")]
    [InlineData("/", "/b")]
    [InlineData("", "b")]
    public void Appending_puts_one_slash_between(string path, string expected) =>
        Assert.Equal(expected, new LinuxPath(path).Append("b"u8).ToString());

    [Fact]
    public void Appending_keeps_a_zero_byte_out() =>
        Assert.Throws<ArgumentException>(() => new LinuxPath("/a").Append("b\0c"u8));
}
