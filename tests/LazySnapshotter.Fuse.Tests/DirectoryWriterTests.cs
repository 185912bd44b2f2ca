using System.Buffers.Binary;
using System.Text;
using LazySnapshotter.Fuse.FileSystem;

namespace LazySnapshotter.Fuse.Tests;

public sealed class DirectoryWriterTests
{
    private static readonly NodeAttributes File = new() { Mode = 0x81A4, Size = 3 };

    [Fact]
    public void An_entry_is_written_as_the_kernel_reads_it()
    {
        var writer = new DirectoryWriter(new TestTree());
        writer.Begin(4096, withAttributes: false);

        Assert.True(writer.TryAdd("abc"u8, new NodeId(0x1122), File, nextCookie: 7));

        var entry = writer.Written;
        Assert.Equal(32, entry.Length);
        Assert.Equal(0x1122, BinaryPrimitives.ReadInt64LittleEndian(entry));
        Assert.Equal(9, BinaryPrimitives.ReadInt64LittleEndian(entry[8..]));
        Assert.Equal(3, BinaryPrimitives.ReadInt32LittleEndian(entry[16..]));
        Assert.Equal(8, BinaryPrimitives.ReadInt32LittleEndian(entry[20..]));
        Assert.Equal("abc\0\0\0\0\0", Encoding.ASCII.GetString(entry[24..]));
    }

    [Fact]
    public void Padding_holds_nothing_of_an_earlier_reply()
    {
        var writer = new DirectoryWriter(new TestTree());
        writer.Begin(4096, withAttributes: false);
        writer.TryAdd("secret!!"u8, new NodeId(2), File, 1);
        writer.Begin(4096, withAttributes: false);

        writer.TryAdd("a"u8, new NodeId(2), File, 1);

        Assert.Equal("a\0\0\0\0\0\0\0", Encoding.ASCII.GetString(writer.Written[24..]));
    }

    [Theory]
    [InlineData(false, 32)]
    [InlineData(true, 160)]
    public void A_child_that_does_not_fit_is_not_taken(bool withAttributes, int length)
    {
        var writer = new DirectoryWriter(new TestTree());
        writer.Begin(length * 2 - 1, withAttributes);

        Assert.True(writer.TryAdd("a"u8, new NodeId(2), File, 1));
        Assert.False(writer.IsFull);
        Assert.False(writer.TryAdd("b"u8, new NodeId(3), File, 2));
        Assert.True(writer.IsFull);
        Assert.Equal(length, writer.Written.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void A_name_no_directory_can_hold_is_a_fault(string name)
    {
        var writer = new DirectoryWriter(new TestTree());
        writer.Begin(4096, withAttributes: false);

        Assert.Throws<InvalidDataException>(() => writer.TryAdd(Encoding.ASCII.GetBytes(name), new NodeId(2), File, 1));
    }
}
