using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using LazySnapshotter.Fuse;
using LazySnapshotter.Fuse.FileSystem;
using LazySnapshotter.Fuse.Protocol;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Linux;
using LazySnapshotter.Mounts.FileSystem;
using LazySnapshotter.Mounts.Implicit;
using LazySnapshotter.Node.Catalog;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Fuzz.Targets;

// A request of the kernel, from its bytes to the reply, before the node's filesystem with one layer in it (whose files have
// nothing but zeros: where content comes from is no matter of the kernel). The dispatcher answers every exception with EIO, so
// its log is what tells one that was not meant.
internal sealed class FuseRequestTarget : FuzzTarget
{
    private const long Slot = 1;

    private readonly LinuxFileHandle _nowhere = Libc.Open("/dev/null", OpenFlags.O_RDWR);
    private readonly Lazy<LayerFileSystem> _layers = new(MakeLayers);
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds;

    public FuseRequestTarget() => _seeds = new(MakeSeeds);

    public override string Name => "fuse-request";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var log = new FirstFault();
        var fileSystem = new Zeros(random.OneIn(2) ? _layers.Value : new UserOverlayXattrs(_layers.Value));
        var connection = new FuseConnection(new FuseDevice(_nowhere, log), fileSystem, new FuseSessionOptions(), log);
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

    private static LayerFileSystem MakeLayers()
    {
        var file = new ScratchFile(".lsi");
        File.WriteAllBytes(file.Path, SampleIndex.Make(1 << 20));
        var layers = new LayerFileSystem(_ => Task.FromResult<LayerDirectory?>(null));
        layers.Add(Slot, new LayerDirectory(Slot, new LazyLayer(LayerIndex.Open(file.Path), null!), ImplicitDirectories.None));
        file.Dispose(); // It stays open.
        return layers;
    }

    private byte[][] MakeSeeds()
    {
        var root = NodeId.Root.Value;
        var layer = Find(new NodeId(root), "1"u8);
        var directory = Find(new NodeId(layer), "directory0"u8);
        var file = Find(new NodeId(directory), "file0"u8);
        var link = Find(new NodeId(layer), "symbolic"u8);
        var read = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(read.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(read.AsSpan(16), 4096);
        var init = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(init, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(4), 39);
        BinaryPrimitives.WriteUInt32LittleEndian(init.AsSpan(12), uint.MaxValue);
        byte[] xattr = [64, 0, 0, 0, 0, 0, 0, 0];
        return
        [
            Request(FuseOpcode.FUSE_INIT, 0, init), Request(FuseOpcode.FUSE_LOOKUP, root, "1\0"u8),
            Request(FuseOpcode.FUSE_LOOKUP, directory, "file0\0"u8), Request(FuseOpcode.FUSE_LOOKUP, file, "..\0"u8),
            Request(FuseOpcode.FUSE_GETATTR, file, new byte[16]), Request(FuseOpcode.FUSE_READ, file, read),
            Request(FuseOpcode.FUSE_READDIR, root, read), Request(FuseOpcode.FUSE_READDIRPLUS, directory, read),
            Request(FuseOpcode.FUSE_READLINK, link, []), Request(FuseOpcode.FUSE_GETXATTR, file, [.. xattr, .. "user.number\0"u8]),
            Request(FuseOpcode.FUSE_GETXATTR, layer, [.. xattr, .. "trusted.overlay.opaque\0"u8]),
            Request(FuseOpcode.FUSE_LISTXATTR, file, xattr), Request(FuseOpcode.FUSE_STATFS, root, []),
            Request(FuseOpcode.FUSE_OPEN, file, new byte[8]), Request(FuseOpcode.FUSE_OPENDIR, layer, new byte[8]),
            Request(FuseOpcode.FUSE_INTERRUPT, 0, new byte[8]), Request(FuseOpcode.FUSE_IOCTL, file, new byte[32]),
            Request(FuseOpcode.FUSE_FORGET, file, new byte[8]),
        ];
    }

    private ulong Find(NodeId parent, ReadOnlySpan<byte> name) => _layers.Value.Lookup(parent, name, out var node, out _) == Errno.None
        ? node.Value
        : throw new InvalidOperationException($"{Encoding.UTF8.GetString(name)} is not there");

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

    // The layers, but for what is in their files.
    private sealed class Zeros(IFuseFileSystem layers) : IFuseFileSystem
    {
        public bool IsImmutable(NodeId directory) => layers.IsImmutable(directory);

        public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, out NodeId node, out NodeAttributes attributes) =>
            layers.Lookup(parent, name, out node, out attributes);

        public Errno GetAttributes(NodeId node, out NodeAttributes attributes) => layers.GetAttributes(node, out attributes);

        public Errno ReadLink(NodeId node, out ReadOnlyMemory<byte> target) => layers.ReadLink(node, out target);

        public Errno ReadDirectory(NodeId directory, long cookie, IDirectorySink sink) => layers.ReadDirectory(directory, cookie, sink);

        public ValueTask<int> ReadAsync(NodeId file, long offset, Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (offset < 0 || offset > long.MaxValue - destination.Length)
                throw new InvalidOperationException($"offset {offset}");
            if (layers.GetAttributes(file, out var attributes) != Errno.None || offset >= attributes.Size)
                return new ValueTask<int>(0);
            var count = (int)Math.Min(destination.Length, attributes.Size - offset);
            destination.Span[..count].Clear();
            return new ValueTask<int>(count);
        }

        public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value) =>
            layers.GetXattr(node, name, out value);

        public Errno ListXattr(NodeId node, out ReadOnlyMemory<byte> names) => layers.ListXattr(node, out names);

        public FileSystemTotals GetTotals() => layers.GetTotals();
    }
}
