using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using LazySnapshotter.Fuse.Protocol;

namespace LazySnapshotter.Fuse.Tests;

// Layouts against linux/fuse.h, and requests no kernel should send.
public sealed class ProtocolTests
{
    [Fact]
    public void Structures_have_the_kernels_sizes()
    {
        Assert.Equal(40, Unsafe.SizeOf<FuseInHeader>());
        Assert.Equal(16, Unsafe.SizeOf<FuseOutHeader>());
        Assert.Equal(16, Unsafe.SizeOf<FuseInitIn>());
        Assert.Equal(64, Unsafe.SizeOf<FuseInitOut>());
        Assert.Equal(88, Unsafe.SizeOf<FuseAttr>());
        Assert.Equal(104, Unsafe.SizeOf<FuseAttrOut>());
        Assert.Equal(128, Unsafe.SizeOf<FuseEntryOut>());
        Assert.Equal(24, Unsafe.SizeOf<FuseDirectoryEntry>());
        Assert.Equal(16, Unsafe.SizeOf<FuseOpenOut>());
        Assert.Equal(40, Unsafe.SizeOf<FuseReadIn>());
        Assert.Equal(8, Unsafe.SizeOf<FuseInterruptIn>());
        Assert.Equal(8, Unsafe.SizeOf<FuseGetXattrIn>());
        Assert.Equal(8, Unsafe.SizeOf<FuseGetXattrOut>());
        Assert.Equal(80, Unsafe.SizeOf<FuseStatfs>());
        Assert.Equal(32, Unsafe.SizeOf<FuseIoctlIn>());
        Assert.Equal(20, Unsafe.SizeOf<FuseIoctlOutInodeFlags>());
        Assert.Equal(16, Unsafe.SizeOf<FuseNotifyInvalidEntry>());
    }

    [Fact]
    public void Fields_stand_where_the_kernel_has_them()
    {
        Assert.Equal(32, Marshal.OffsetOf<FuseInHeader>("Pid").ToInt32());
        Assert.Equal(32, Marshal.OffsetOf<FuseInitOut>("Flags2").ToInt32());
        Assert.Equal(28, Marshal.OffsetOf<FuseInitOut>("MaxPages").ToInt32());
        Assert.Equal(60, Marshal.OffsetOf<FuseAttr>("Mode").ToInt32());
        Assert.Equal(76, Marshal.OffsetOf<FuseAttr>("Device").ToInt32());
        Assert.Equal(40, Marshal.OffsetOf<FuseEntryOut>("Attributes").ToInt32());
        Assert.Equal(16, Marshal.OffsetOf<FuseReadIn>("Size").ToInt32());
        Assert.Equal(40, Marshal.OffsetOf<FuseStatfs>("BlockSize").ToInt32());
    }

    [Theory]
    [InlineData(24, 0)]
    [InlineData(32, 1)]
    [InlineData(32, 8)]
    [InlineData(40, 9)]
    public void Directory_entries_are_padded_to_eight_bytes(int length, int nameLength) =>
        Assert.Equal(length, FuseDirectoryEntry.Length(nameLength));

    [Fact]
    public void A_request_shorter_than_its_header_is_refused() =>
        Assert.Contains("39 bytes", Refused(new byte[39]));

    [Fact]
    public void A_request_that_misstates_its_length_is_refused() =>
        Assert.Contains("says it has 41 bytes and has 40", Refused(Request(FuseOpcode.FUSE_LOOKUP, [], statedLength: 41)));

    [Fact]
    public void A_name_without_an_end_is_refused() =>
        Assert.Contains("FUSE_LOOKUP request of 44 bytes ends before its name", Refused(
            Request(FuseOpcode.FUSE_LOOKUP, Encoding.UTF8.GetBytes("name"))));

    [Fact]
    public void A_read_without_its_arguments_is_refused() =>
        Assert.Contains("ends before its FuseReadIn", Refused(Request(FuseOpcode.FUSE_READ, new byte[39])));

    [Fact]
    public void Features_are_what_both_sides_have()
    {
        var offered = FuseInitFlags.FUSE_ASYNC_READ | FuseInitFlags.FUSE_NO_OPEN_SUPPORT | (FuseInitFlags)(1UL << 60);

        var features = FuseFeatures.Negotiate(32, offered, FuseInitFlags.FUSE_NO_OPEN_SUPPORT);

        Assert.Equal((32u, FuseInitFlags.FUSE_ASYNC_READ), (features.MinorVersion, features.Flags));
        Assert.False(features.OpensWithoutAsking);
        Assert.Equal(FuseFeatures.MinorVersionMax, FuseFeatures.Negotiate(99, offered, default).MinorVersion);
    }

    private static string Refused(byte[] message) => Assert.Throws<InvalidDataException>(() =>
    {
        var request = new FuseRequest(message);
        if (request.Header.Opcode == FuseOpcode.FUSE_READ)
            request.Read<FuseReadIn>();
        else
            request.ReadName();
    }).Message;

    private static byte[] Request(FuseOpcode opcode, byte[] body, uint? statedLength = null)
    {
        var message = new byte[40 + body.Length];
        MemoryMarshal.Write(message, statedLength ?? (uint)message.Length);
        MemoryMarshal.Write(message.AsSpan(4), (uint)opcode);
        body.CopyTo(message, 40);
        return message;
    }
}
