using System.Buffers;
using LazySnapshotter.Layers.Gzip;

namespace LazySnapshotter.Layers.Spans;

// What a continued span goes on from: the output right before it, 32 KiB or what there is, and the deflate block that it starts in. Goes
// over spans in order. Not safe for concurrent use.
public sealed class SpanHistory : IDisposable
{
    /// <summary>How far back a deflate match can reach (RFC 1951, section 2).</summary>
    public const int LengthMax = 32768;

    private byte[]? _bytes;
    private int _length;

    /// <summary>The span that it stands before; null: none.</summary>
    public SpanId? Next { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Null: the next span is not continued.</summary>
    public DeflateBlock? Block { get; private set; }

    /// <summary>Stands before a span of which this is the history, or the end of it.</summary>
    public void Start(SpanId span, ReadOnlySpan<byte> window)
    {
        _length = 0;
        Append(window);
        Block = null;
        Next = span;
    }

    /// <summary>Goes over the span that it stands before.</summary>
    /// <param name="block">In which the next span starts, if that is continued.</param>
    public void Pass(ReadOnlySpan<byte> uncompressed, DeflateBlock? block)
    {
        Append(uncompressed);
        Block = block;
        Next = new SpanId(Next!.Value.Value + 1);
    }

    public void Dispose()
    {
        if (_bytes is not null)
            ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _length, Block, Next) = (null, 0, null, null);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _bytes ??= ArrayPool<byte>.Shared.Rent(LengthMax);
        bytes = bytes[Math.Max(0, bytes.Length - LengthMax)..];
        var kept = Math.Min(_length, LengthMax - bytes.Length);
        _bytes.AsSpan(_length - kept, kept).CopyTo(_bytes);
        bytes.CopyTo(_bytes.AsSpan(kept));
        _length = kept + bytes.Length;
    }
}
