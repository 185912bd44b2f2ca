using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LazySnapshotter.Codecs.Gzip;

namespace LazySnapshotter.Benchmarks.Inflate;

// The deflate stream of a gzip file with one member, in memory that does not move.
internal sealed unsafe class DeflateInMemory : IDisposable
{
    private readonly byte* _start;

    public DeflateInMemory(string path)
    {
        using var file = File.OpenRead(path);
        var fileLength = checked((int)file.Length);
        // Sound: as long as the file, and freed by Dispose only.
        _start = (byte*)NativeMemory.Alloc((nuint)fileLength);
        var all = new Span<byte>(_start, fileLength);
        file.ReadExactly(all);
        var header = default(GzipHeader);
        var headerLength = header.Append(all, out var error);
        if (error is not null)
            throw new InvalidDataException($"{path}: {error}");
        Data = _start + headerLength;
        Length = fileLength - headerLength - 8;
        UncompressedLength = BinaryPrimitives.ReadUInt32LittleEndian(all[^4..]);
    }

    public byte* Data { get; }

    public int Length { get; }

    public long UncompressedLength { get; }

    public ReadOnlySpan<byte> Span => new(Data, Length);

    public void Dispose() => NativeMemory.Free(_start);
}
