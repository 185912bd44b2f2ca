using LazySnapshotter.Codecs.Inflate;
using LazySnapshotter.Layers.Spans;

namespace LazySnapshotter.Layers.Decoding;

// What a continued span goes on from: the output right before it, 32 KiB or what there is, and the deflate block that it starts in. Goes
// over spans in order. Not safe for concurrent use. Rented, as every read needs one and few make use of it; disposing it gives it back.
public sealed class SpanHistory : IDisposable
{
    /// <summary>How far back a deflate match can reach (RFC 1951, section 2).</summary>
    public const int LengthMax = 32768;

    [ThreadStatic]
    private static SpanHistory? _resting;

    private readonly byte[] _bytes = new byte[LengthMax];
    private int _length;

    private SpanHistory()
    {
    }

    /// <summary>The span that it stands before; null: none.</summary>
    public SpanId? Next { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Null: the next span is not continued.</summary>
    public DeflateBlock? Block { get; private set; }

    /// <summary>One that stands before nothing.</summary>
    public static SpanHistory Rent()
    {
        var history = _resting ?? new SpanHistory();
        _resting = null;
        return history;
    }

    /// <summary>Stands before nothing again.</summary>
    public void Clear() => (_length, Block, Next) = (0, null, null);

    /// <summary>Stands before a span of which this is the history, or the end of it.</summary>
    public void Start(SpanId span, ReadOnlySpan<byte> window)
    {
        Clear();
        Append(window);
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
        Clear();
        _resting = this;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[Math.Max(0, bytes.Length - LengthMax)..];
        var kept = Math.Min(_length, LengthMax - bytes.Length);
        _bytes.AsSpan(_length - kept, kept).CopyTo(_bytes);
        bytes.CopyTo(_bytes.AsSpan(kept));
        _length = kept + bytes.Length;
    }
}
