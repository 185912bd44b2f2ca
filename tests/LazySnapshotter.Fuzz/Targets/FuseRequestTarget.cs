using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using LazySnapshotter.Fuse;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Linux;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuzz.Targets;

// A request of the kernel, from its bytes to the reply, before a filesystem of three nodes. The dispatcher answers every
// exception with EIO, so its log is what tells one that was not meant.
internal sealed class FuseRequestTarget : FuzzTarget
{
    private readonly LinuxFileHandle _nowhere = Libc.Open("/dev/null", OpenFlags.O_RDWR);
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "fuse-request";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var log = new FirstFault();
        var connection = new FuseConnection(new FuseDevice(_nowhere, log), new Tree(), new FuseSessionOptions(), log);
        new FuseDispatcher(connection).Dispatch(input);
        if (log.Exception is { } exception)
            throw exception is InvalidDataException ? exception
                : new InvalidOperationException("the dispatcher met an exception", exception);
        if (connection.Reads.Count > 0)
            throw new InvalidOperationException("a read without an end");
    }

    // The kernel says truly how long its message is.
    public override void Repair(Span<byte> input)
    {
        if (input.Length >= sizeof(uint))
            BinaryPrimitives.WriteInt32LittleEndian(input, input.Length);
    }

    private static byte[][] MakeSeeds()
    {
        var read = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(read.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(read.AsSpan(16), 4096);
        var init = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(init, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), 39);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(12), uint.MaxValue);
        return
        [
            Request(FuseOpcode.FUSE_INIT, 0, init), Request(FuseOpcode.FUSE_LOOKUP, 1, "file\0"u8),
            Request(FuseOpcode.FUSE_LOOKUP, 1, "..\0"u8),
            Request(FuseOpcode.FUSE_GETATTR, 2, new byte[16]), Request(FuseOpcode.FUSE_READ, 2, read),
            Request(FuseOpcode.FUSE_READDIR, 1, read),
            Request(FuseOpcode.FUSE_READDIRPLUS, 1, read), Request(FuseOpcode.FUSE_READLINK, 3, []),
            Request(FuseOpcode.FUSE_GETXATTR, 2, [64, 0, 0, 0, 0, 0, 0, 0, .. "user.a\0"u8]),
            Request(FuseOpcode.FUSE_LISTXATTR, 2, [0, 0, 0, 0, 0, 0, 0, 0]),
            Request(FuseOpcode.FUSE_STATFS, 1, []), Request(FuseOpcode.FUSE_OPEN, 2, new byte[8]),
            Request(FuseOpcode.FUSE_OPENDIR, 1, new byte[8]),
            Request(FuseOpcode.FUSE_INTERRUPT, 0, new byte[8]), Request(FuseOpcode.FUSE_IOCTL, 2, new byte[32]),
            Request(FuseOpcode.FUSE_FORGET, 2, new byte[8]),
        ];
    }

    private static byte[] Request(FuseOpcode opcode, ulong node, ReadOnlySpan<byte> payload)
    {
        var message = new byte[Unsafe.SizeOf<FuseInHeader>() + payload.Length];
        MemoryMarshal.Write(message, message.Length);
        MemoryMarshal.Write(message.AsSpan(4), (int)opcode);
        MemoryMarshal.Write(message.AsSpan(8), 77UL);
        MemoryMarshal.Write(message.AsSpan(16), node);
        payload.CopyTo(message.AsSpan(Unsafe.SizeOf<FuseInHeader>()));
        return message;
    }

    private sealed class FirstFault : ILogger
    {
        public Exception? Exception { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Exception ??= exception;
    }

    // 1 is the root, 2 a file in it, 3 a symbolic link.
    private sealed class Tree : IFuseFileSystem
    {
        private static readonly byte[] _data = Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(0, 500)));

        public bool IsImmutable(NodeId directory) => directory.Value % 2 == 1;

        public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes)
        {
            if (name.IsEmpty)
                throw new InvalidDataException("a name without a character"); // The kernel never asks that.
            node = new NodeId(
                name.SequenceEqual("file"u8) ? 2UL : name.SequenceEqual("link"u8) ? 3UL : name.SequenceEqual(".."u8) ? 1UL : 0);
            return GetAttributes(node, out attributes);
        }

        public Errno GetAttributes(NodeId node, out NodeAttributes attributes)
        {
            attributes = new NodeAttributes { Mode = node.Value switch { 1 => 0x41ED, 2 => 0x81A4, _ => 0xA1FF }, Size = _data.Length };
            return node.Value is >= 1 and <= 3 ? Errno.None : Errno.ENOENT;
        }

        public Errno ReadLink(NodeId node, out ReadOnlyMemory<byte> target)
        {
            target = _data.AsMemory(0, 9);
            return node.Value == 3 ? Errno.None : Errno.EINVAL;
        }

        public Errno ReadDirectory(NodeId directory, long cookie, IDirectorySink sink)
        {
            if (cookie < 0)
                throw new InvalidOperationException($"cookie {cookie}");
            for (var child = cookie; child < 2; child++)
            {
                GetAttributes(new NodeId((ulong)child + 2), out var attributes);
                if (!sink.TryAdd(child == 0 ? "file"u8 : "link"u8, new NodeId((ulong)child + 2), attributes, child + 1))
                    break;
            }

            return Errno.None;
        }

        public ValueTask<int> ReadAsync(NodeId file, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (offset < 0 || offset > long.MaxValue - destination.Length)
                throw new InvalidOperationException($"offset {offset}");
            if (offset >= _data.Length)
                return new ValueTask<int>(0);
            var count = (int)Math.Min(destination.Length, _data.Length - offset);
            _data.AsSpan((int)offset, count).CopyTo(destination.Span);
            return new ValueTask<int>(count);
        }

        public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value)
        {
            value = _data.AsMemory(0, 40);
            return name.SequenceEqual("user.a"u8) ? Errno.None : Errno.ENODATA;
        }

        public Errno ListXattr(NodeId node, out ReadOnlyMemory<byte> names)
        {
            names = "user.a\0"u8.ToArray();
            return Errno.None;
        }

        public FileSystemTotals GetTotals() => new(1, 2);
    }
}
