using System.Buffers;
using LazySnapshotter.Blobs.Store;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Blobs.Fetching;

// Cuts a stream of compressed bytes into spans, in order. Neighbours may share one byte (a checkpoint lies at any bit),
// so the last byte of each span is kept for the next. What lies between two wanted spans is skipped.
/// <param name="passed">Told of all bytes of the stream, as they come.</param>
internal sealed class SpanCutter(Stream stream, long offset, LayerReadStatistics statistics, LinkEstimate link,
    Action<ReadOnlyMemory<byte>>? passed = null) : IDisposable
{
    private const int SkipBufferBytes = 64 << 10;

    private byte[] _buffer = [];
    private long _position = offset; // of the next byte of the blob the stream gives
    private byte _last;              // the byte before it

    /// <summary>The span's bytes, valid until the next call.</summary>
    /// <exception cref="EndOfStreamException">The stream ended within the span.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> NextAsync(LayerSpan span, CancellationToken cancellationToken)
    {
        while (_position < span.CompressedOffset)
        {
            Reserve(SkipBufferBytes);
            var skip = (int)Math.Min(span.CompressedOffset - _position, SkipBufferBytes);
            await ReadAsync(_buffer.AsMemory(0, skip), cancellationToken);
        }

        var length = (int)span.CompressedLength;
        Reserve(length);
        var filled = (int)(_position - span.CompressedOffset); // 0, or 1 for a shared byte
        if (filled > 0)
            _buffer[0] = _last;
        while (filled < length)
            filled += await ReadAsync(_buffer.AsMemory(filled, length - filled), cancellationToken);
        _last = _buffer[length - 1];
        return _buffer.AsMemory(0, length);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        var read = await stream.ReadAsync(destination, cancellationToken);
        if (read == 0)
            throw new EndOfStreamException($"the source ended at byte {_position}");
        passed?.Invoke(destination[..read]);
        _position += read;
        statistics.Count(ReadCount.BytesFetched, read);
        link.Count(read);
        return read;
    }

    private void Reserve(int length)
    {
        if (_buffer.Length >= length)
            return;
        Dispose();
        _buffer = ArrayPool<byte>.Shared.Rent(length);
    }
}
