using LazySnapshotter.Codecs.Inflate;

namespace LazySnapshotter.Blobs.Reading;

// A span's inflated bytes in the cache. Users, Node and the buffer's life are SpanCache's; Gate guards the filling.
internal sealed class CachedSpan
{
    private volatile bool _isFilled;

    public CachedSpan(SpanCache.Key key, byte[] buffer, int length)
    {
        Key = key;
        Buffer = buffer;
        Length = length;
        Node = new LinkedListNode<CachedSpan>(this);
    }

    public SpanCache.Key Key { get; }

    public byte[] Buffer { get; }

    public int Length { get; }

    public LinkedListNode<CachedSpan> Node { get; }

    public Lock Gate { get; } = new();

    public int Users { get; set; }

    /// <summary>The bytes are there. Set once, under Gate.</summary>
    public bool IsFilled
    {
        get => _isFilled;
        set => _isFilled = value;
    }

    /// <summary>In which the next span starts, if that is continued. Set before IsFilled.</summary>
    public DeflateBlock? BlockAtEnd { get; set; }

    public Span<byte> Bytes => Buffer.AsSpan(0, Length);
}
