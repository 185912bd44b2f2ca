using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LazySnapshotter.Fuse.FileSystem;

namespace LazySnapshotter.Fuse.Protocol;

// Reads one request, front to back: the header, then what the opcode says comes next. Every step is checked against
// the message's end.
internal ref struct FuseRequest
{
    private ReadOnlySpan<byte> _rest;

    /// <param name="message">All bytes of one read(2) from the device.</param>
    public FuseRequest(ReadOnlySpan<byte> message)
    {
        if (message.Length < Unsafe.SizeOf<FuseInHeader>())
            ThrowTooShort(message.Length);

        Header = MemoryMarshal.Read<FuseInHeader>(message);
        if (Header.Length != message.Length)
            ThrowLengthMismatch(Header.Length, message.Length);

        _rest = message[Unsafe.SizeOf<FuseInHeader>()..];
    }

    public FuseInHeader Header { get; }

    public readonly NodeId Node => new(Header.NodeId);

    /// <summary>The next fixed-size part of the request.</summary>
    public T Read<T>() where T : unmanaged
    {
        if (!MemoryMarshal.TryRead<T>(_rest, out var value))
            ThrowTruncated(typeof(T).Name);

        _rest = _rest[Unsafe.SizeOf<T>()..];
        return value;
    }

    /// <summary>The same, where older kernels do not send the part: false, and nothing is read.</summary>
    public bool TryRead<T>(out T value) where T : unmanaged
    {
        if (!MemoryMarshal.TryRead(_rest, out value))
            return false;

        _rest = _rest[Unsafe.SizeOf<T>()..];
        return true;
    }

    /// <summary>The next name, without the zero that ends it.</summary>
    public ReadOnlySpan<byte> ReadName()
    {
        var end = _rest.IndexOf((byte)0);
        if (end < 0)
            ThrowTruncated("name");

        var name = _rest[..end];
        _rest = _rest[(end + 1)..];
        return name;
    }

    [DoesNotReturn]
    private static void ThrowTooShort(int length) =>
        throw new InvalidDataException($"request of {length} bytes is shorter than its header");

    [DoesNotReturn]
    private static void ThrowLengthMismatch(uint stated, int actual) =>
        throw new InvalidDataException($"request says it has {stated} bytes and has {actual}");

    [DoesNotReturn]
    private readonly void ThrowTruncated(string what) =>
        throw new InvalidDataException($"{Header.Opcode} request of {Header.Length} bytes ends before its {what}");
}
