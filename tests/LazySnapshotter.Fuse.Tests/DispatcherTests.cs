using System.Runtime.InteropServices;
using System.Text;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace LazySnapshotter.Fuse.Tests;

// Requests no kernel at hand sends: other versions, damaged ones, opcodes of the future. The device is an ordinary file,
// in which the replies pile up.
public sealed class DispatcherTests : IDisposable
{
    private const FuseOpcode Unknown = (FuseOpcode)4711;

    private readonly string _path = Path.GetTempFileName();
    private readonly LinuxFileHandle _device;
    private readonly TestTree _tree = new();
    private readonly FuseConnection _connection;
    private readonly FuseDispatcher _dispatcher;
    private readonly ITestOutputHelper _output;
    private int _repliesSeen;

    public DispatcherTests(ITestOutputHelper output)
    {
        _output = output;
        _device = Libc.Open(_path, OpenFlags.O_RDWR);
        _connection = new FuseConnection(
            new FuseDevice(_device, NullLogger.Instance), _tree, new FuseSessionOptions(), NullLogger.Instance);
        _dispatcher = new FuseDispatcher(_connection);
    }

    public void Dispose()
    {
        _device.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public async Task A_kernel_that_is_too_old_is_told_so()
    {
        Assert.Equal(Errno.EPROTO, Ask(FuseOpcode.FUSE_INIT, Init(7, 30)).Errno);
        var error = await Assert.ThrowsAsync<NotSupportedException>(() => _connection.Initialized.Task);
        Assert.Contains("7.30", error.Message);
    }

    [Fact]
    public void A_kernel_with_a_newer_major_version_is_offered_ours_and_asked_again()
    {
        var reply = MemoryMarshal.Read<FuseInitOut>(Ask(FuseOpcode.FUSE_INIT, Init(8, 1)).Payload);

        Assert.Equal((7u, 0u), (reply.Major, reply.Flags));
        Assert.False(_connection.Initialized.Task.IsCompleted);
    }

    [Fact]
    public void The_oldest_kernel_sends_a_short_init_and_gets_what_it_offered()
    {
        var reply = MemoryMarshal.Read<FuseInitOut>(
            Ask(FuseOpcode.FUSE_INIT, Init(7, 31, FuseInitFlags.FUSE_ASYNC_READ | FuseInitFlags.FUSE_INIT_EXT)).Payload);

        Assert.Equal(
            (31u, (uint)(FuseInitFlags.FUSE_ASYNC_READ | FuseInitFlags.FUSE_INIT_EXT), 0u), (reply.Minor, reply.Flags, reply.Flags2));
        Assert.Equal((64, 48), (reply.MaxBackground, reply.CongestionThreshold));
        Assert.True(_connection.Initialized.Task.IsCompletedSuccessfully);
    }

    [Fact]
    public void The_second_flags_word_counts_only_when_the_kernel_says_so()
    {
        var idmap = FuseInitFlags.FUSE_ALLOW_IDMAP;
        var without = MemoryMarshal.Read<FuseInitOut>(Ask(FuseOpcode.FUSE_INIT, Init(7, 45, idmap, extended: true)).Payload);
        var with = MemoryMarshal.Read<FuseInitOut>(
            Ask(FuseOpcode.FUSE_INIT, Init(7, 45, idmap | FuseInitFlags.FUSE_INIT_EXT, extended: true)).Payload);

        Assert.Equal((0u, 1u << 8), (without.Flags2, with.Flags2));
    }

    [Fact]
    public void Dot_and_dotdot_are_found()
    {
        var directory = _tree.AddDirectory(_tree.AddDirectory(_tree.Root, "a"), "b");

        Assert.Equal(
            directory.Id.Value, MemoryMarshal.Read<FuseEntryOut>(Ask(FuseOpcode.FUSE_LOOKUP, ".\0"u8, directory.Id.Value).Payload).NodeId);
        Assert.Equal(directory.Parent!.Id.Value, MemoryMarshal.Read<FuseEntryOut>(
            Ask(FuseOpcode.FUSE_LOOKUP, "..\0"u8, directory.Id.Value).Payload).NodeId);
        Assert.Equal(Errno.ENOENT, Ask(FuseOpcode.FUSE_LOOKUP, ".\0"u8, 999).Errno);
    }

    [Theory]
    [InlineData(FuseOpcode.FUSE_SETATTR, Errno.EROFS)]
    [InlineData(FuseOpcode.FUSE_WRITE, Errno.EROFS)]
    [InlineData(FuseOpcode.FUSE_TMPFILE, Errno.EROFS)]
    [InlineData(FuseOpcode.FUSE_IOCTL, Errno.ENOTTY)]
    [InlineData(FuseOpcode.FUSE_STATX, Errno.ENOSYS)]
    [InlineData(FuseOpcode.FUSE_LSEEK, Errno.ENOSYS)]
    [InlineData(FuseOpcode.FUSE_ACCESS, Errno.ENOSYS)]
    [InlineData(FuseOpcode.FUSE_DESTROY, Errno.None)]
    [InlineData(Unknown, Errno.ENOSYS)]
    public void What_is_not_served_gets_the_answer_the_kernel_expects(FuseOpcode opcode, Errno errno) =>
        Assert.Equal(errno, Ask(opcode, []).Errno);

    [Fact]
    public void Forgetting_has_no_reply()
    {
        Send(FuseOpcode.FUSE_FORGET, new byte[8]);
        Send(FuseOpcode.FUSE_BATCH_FORGET, new byte[24]);
        Assert.Empty(NewReplies());
    }

    [Fact]
    public void An_interrupt_for_a_request_in_nobodys_hands_is_asked_for_again() =>
        Assert.Equal(Errno.EAGAIN, Ask(FuseOpcode.FUSE_INTERRUPT, BitConverter.GetBytes(12345UL)).Errno);

    [Theory]
    [InlineData(0UL, 2_000_000u)]
    [InlineData(ulong.MaxValue, 4096u)]
    [InlineData((ulong)long.MaxValue, 4096u)]
    public void A_read_beyond_all_limits_is_refused(ulong offset, uint size)
    {
        var file = _tree.AddFile(_tree.Root, "file", [1]);
        Assert.Equal(Errno.EINVAL, Ask(FuseOpcode.FUSE_READ, ReadArguments(offset, size), file.Id.Value).Errno);
    }

    [Theory]
    [InlineData(FuseOpcode.FUSE_READDIR, 0UL, 8u)]
    [InlineData(FuseOpcode.FUSE_READDIRPLUS, 2UL, 100u)]
    [InlineData(FuseOpcode.FUSE_READDIR, ulong.MaxValue, 4096u)]
    [InlineData(FuseOpcode.FUSE_READDIR, 0UL, uint.MaxValue)]
    public void A_listing_that_cannot_be_given_is_refused_and_does_not_look_like_the_end(FuseOpcode opcode, ulong offset, uint size)
    {
        _tree.AddFile(_tree.Root, "file", [1]);
        Assert.Equal(Errno.EINVAL, Ask(opcode, ReadArguments(offset, size)).Errno);
    }

    [Fact]
    public void An_attribute_longer_than_the_buffer_is_refused_and_its_length_told_when_asked_for()
    {
        var file = _tree.AddFile(_tree.Root, "file", []);
        file.Xattrs["user.a"] = new byte[100];

        Assert.Equal(Errno.ERANGE, Ask(FuseOpcode.FUSE_GETXATTR, [99, 0, 0, 0, 0, 0, 0, 0, .. "user.a\0"u8], file.Id.Value).Errno);
        Assert.Equal(100, Ask(FuseOpcode.FUSE_GETXATTR, [100, 0, 0, 0, 0, 0, 0, 0, .. "user.a\0"u8], file.Id.Value).Payload.Length);
        Assert.Equal(100u, MemoryMarshal.Read<uint>(
            Ask(FuseOpcode.FUSE_GETXATTR, [0, 0, 0, 0, 0, 0, 0, 0, .. "user.a\0"u8], file.Id.Value).Payload));
        Assert.Equal(7u, MemoryMarshal.Read<uint>(Ask(FuseOpcode.FUSE_LISTXATTR, [0, 0, 0, 0, 0, 0, 0, 0], file.Id.Value).Payload));
    }

    [Fact]
    public void A_request_that_ends_too_soon_is_EIO() =>
        Assert.Equal(Errno.EIO, Ask(FuseOpcode.FUSE_LOOKUP, "no end"u8).Errno);

    [Fact]
    public void Random_messages_get_at_most_one_reply_each()
    {
        var seed = Environment.TickCount;
        _output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var message = new byte[random.Next(200)];
            random.NextBytes(message);
            if (message.Length >= 16 && random.Next(10) > 0)
            {
                MemoryMarshal.Write(message, (uint)message.Length);
                MemoryMarshal.Write(message.AsSpan(4), (uint)random.Next(60));
                MemoryMarshal.Write(message.AsSpan(8), 2UL * (ulong)i);
            }

            _dispatcher.Dispatch(message);
        }

        var replies = NewReplies();
        Assert.NotEmpty(replies);
        Assert.Equal(replies.Count, replies.DistinctBy(reply => reply.Unique).Count());
    }

    private Reply Ask(FuseOpcode opcode, ReadOnlySpan<byte> body, ulong node = 1)
    {
        Send(opcode, body, node);
        var reply = Assert.Single(NewReplies());
        Assert.Equal(77u, reply.Unique);
        return reply;
    }

    private void Send(FuseOpcode opcode, ReadOnlySpan<byte> body, ulong node = 1)
    {
        var message = new byte[40 + body.Length];
        MemoryMarshal.Write(message, (uint)message.Length);
        MemoryMarshal.Write(message.AsSpan(4), (uint)opcode);
        MemoryMarshal.Write(message.AsSpan(8), 77UL);
        MemoryMarshal.Write(message.AsSpan(16), node);
        body.CopyTo(message.AsSpan(40));
        _dispatcher.Dispatch(message);
    }

    private List<Reply> NewReplies()
    {
        var written = File.ReadAllBytes(_path).AsSpan(_repliesSeen);
        _repliesSeen += written.Length;
        var replies = new List<Reply>();
        while (!written.IsEmpty)
        {
            var header = MemoryMarshal.Read<FuseOutHeader>(written);
            replies.Add(new Reply(header.Unique, (Errno)(-header.Error), written[16..(int)header.Length].ToArray()));
            written = written[(int)header.Length..];
        }

        return replies;
    }

    private static byte[] Init(uint major, uint minor, FuseInitFlags flags = FuseInitFlags.None, bool extended = false)
    {
        var body = new byte[extended ? 64 : 16];
        MemoryMarshal.Write(body, major);
        MemoryMarshal.Write(body.AsSpan(4), minor);
        MemoryMarshal.Write(body.AsSpan(12), (uint)flags);
        if (extended)
            MemoryMarshal.Write(body.AsSpan(16), (uint)((ulong)flags >> 32));
        return body;
    }

    private static byte[] ReadArguments(ulong offset, uint size)
    {
        var body = new byte[40];
        MemoryMarshal.Write(body.AsSpan(8), offset);
        MemoryMarshal.Write(body.AsSpan(16), size);
        return body;
    }

    private sealed record Reply(ulong Unique, Errno Errno, byte[] Payload)
    {
        public override string ToString() => $"{Unique}: {Errno}, {Encoding.Latin1.GetString(Payload)}";
    }
}
