using System.Net.Http.Headers;

namespace LazySnapshotter.Registry.Headers;

// A range of a blob's bytes; without an end it goes to the blob's end. (RFC 9110 section 14: the header's end is
// inclusive. Here it is exclusive, as everywhere else in this program.)
internal readonly record struct ByteRange(long Start, long? EndExclusive)
{
    public RangeHeaderValue ToHeader() => new(Start, EndExclusive - 1);

    public override string ToString() => EndExclusive is null ? $"bytes {Start}-" : $"bytes {Start}-{EndExclusive - 1}";
}
