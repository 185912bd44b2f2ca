using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Mounts.Implicit;

namespace LazySnapshotter.Mounts.Tests;

public sealed class ImplicitDirectoriesTests
{
    private static readonly ImplicitDirectories Some = ImplicitDirectories.From(new Dictionary<int, InheritedDirectory>
    {
        [7] = new(0b111_000_000, 1000, 1001, -5, 999_999_999, [new TocXattr("user.a"u8.ToArray(), new byte[] { 0, 255 })]),
        [3] = new(0x200, 0, 0, 1_700_000_000, 0, []),
    });

    [Fact]
    public void What_is_written_is_read_back()
    {
        var read = ImplicitDirectories.FromBytes(Some.ToBytes());

        Assert.True(read.TryGet(7, out var directory));
        Assert.Equal((0b111_000_000u, 1000u, 1001u, -5L, 999_999_999u),
            (directory.Mode, directory.Uid, directory.Gid, directory.MtimeSeconds, directory.MtimeNanoseconds));
        Assert.Equal("user.a"u8.ToArray(), directory.Xattrs[0].Name.ToArray());
        Assert.Equal(new byte[] { 0, 255 }, directory.Xattrs[0].Value.ToArray());
        Assert.False(read.TryGet(4, out _));
        Assert.Equal(Some.ToBytes(), read.ToBytes());
    }

    [Fact]
    public void Nothing_inherited_is_no_bytes()
    {
        Assert.Empty(ImplicitDirectories.None.ToBytes());
        Assert.False(ImplicitDirectories.FromBytes([]).TryGet(0, out _));
    }

    [Fact]
    public void Every_truncation_and_another_version_is_refused()
    {
        var bytes = Some.ToBytes();
        for (var length = 1; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => ImplicitDirectories.FromBytes(bytes[..length]));
        bytes[0] = 99;
        Assert.Throws<InvalidDataException>(() => ImplicitDirectories.FromBytes(bytes));
    }
}
