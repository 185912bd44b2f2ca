using System.Buffers;

namespace LazySnapshotter.Oci;

// The wanted part of a range that is larger: what comes before it is read and dropped, what comes behind it is not read.
internal sealed class RangeExcerpt(Digest digest, BlobRange range, long offset, long length) : ForwardStream
{
    private const int SkipBufferBytes = 64 << 10;

    private readonly long _end = offset + length;
    private long _position = range.Offset;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        if (_position < offset)
            await SkipAsync(cancellationToken);
        if (_position == _end)
            return 0;
        return await TakeAsync(buffer[..(int)Math.Min(buffer.Length, _end - _position)], cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            range.Body.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask SkipAsync(CancellationToken cancellationToken)
    {
        var dropped = ArrayPool<byte>.Shared.Rent(SkipBufferBytes);
        try
        {
            while (_position < offset)
                await TakeAsync(dropped.AsMemory(0, (int)Math.Min(dropped.Length, offset - _position)), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }

    private async ValueTask<int> TakeAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await range.Body.ReadAsync(buffer, cancellationToken);
        if (read == 0)
            throw new EndOfStreamException($"{digest}: the source ended at byte {_position}, wanted to {_end - 1}");
        _position += read;
        return read;
    }
}
