using System.Net;
using LazySnapshotter.Registry.Http;

namespace LazySnapshotter.Registry.Blobs;

// One response with bytes of a blob, after its head was checked against what was asked: which byte its body begins with
// and which it promises to end with. It may begin before the wanted byte (a host that ignores Range begins at 0) and
// may end before the wanted end (RFC 9110 section 15.3.7 lets a host send less); it never begins elsewhere unnoticed.
internal sealed class BlobPart : IDisposable
{
    private readonly RegistryResponse _response;

    private BlobPart(RegistryResponse response, Stream body, long start, long? endExclusive, long? totalSize, bool rangeIgnored)
    {
        _response = response;
        Body = body;
        Start = start;
        EndExclusive = endExclusive;
        TotalSize = totalSize;
        RangeIgnored = rangeIgnored;
    }

    public Stream Body { get; }

    public string Host => _response.Hop.Host;

    public HttpStatusCode StatusCode => _response.Message.StatusCode;

    public long Start { get; }

    /// <summary>Null where the host does not say.</summary>
    public long? EndExclusive { get; }

    /// <summary>Of the blob; null where neither host nor descriptor says.</summary>
    public long? TotalSize { get; }

    public bool RangeIgnored { get; }

    /// <summary>Takes the response over; disposes of it if it is not what was asked for.</summary>
    /// <param name="size">Of the blob, by its descriptor.</param>
    /// <exception cref="RegistryException">The response is an error, or contradicts the request or the descriptor.</exception>
    public static async Task<BlobPart> OpenAsync(
        RegistryResponse response, ByteRange wanted, long? size, RegistryOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var hop = response.Hop;
            if (response.Message.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                throw NotSatisfiable(response.Message, hop, size);
            await ResponseCheck.EnsureSuccessAsync(response.Message, hop, options, cancellationToken);
            var body = await response.Message.Content.ReadAsStreamAsync(cancellationToken);
            return response.Message.StatusCode switch
            {
                HttpStatusCode.PartialContent => Partial(response, body, wanted, size),
                HttpStatusCode.OK => Whole(response, body, wanted, size),
                var other => throw Lie(response, $"{(int)other} where 200 or 206 belongs"),
            };
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _response.Dispose();

    private static BlobPart Partial(RegistryResponse response, Stream body, ByteRange wanted, long? size)
    {
        var headers = response.Message.Content.Headers;
        if (headers.ContentType?.MediaType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true)
            throw Lie(response, $"{headers.ContentType.MediaType} where a single range was asked for");
        if (headers.ContentRange is not { Unit: "bytes", From: { } from, To: { } to } range)
            throw Lie(response, "206 without a Content-Range in bytes");
        if (from != wanted.Start)
            throw Lie(response, $"Content-Range begins at byte {from}, asked for byte {wanted.Start}");
        if (wanted.EndExclusive is { } end && to >= end)
            throw Lie(response, $"Content-Range ends at byte {to}, asked for bytes to {end - 1}");
        if (size is not null && range.Length is { } total && total != size)
            throw Lie(response, $"Content-Range says the blob has {total} bytes, its descriptor says {size}");
        if (headers.ContentLength is { } length && length != to - from + 1)
            throw Lie(response, $"Content-Range has {to - from + 1} bytes, Content-Length {length}");
        return new BlobPart(response, body, from, to + 1, size ?? range.Length, rangeIgnored: false);
    }

    private static BlobPart Whole(RegistryResponse response, Stream body, ByteRange wanted, long? size)
    {
        var length = response.Message.Content.Headers.ContentLength;
        if (size is not null && length is not null && length != size)
            throw Lie(response, $"the blob has {length} bytes by Content-Length, its descriptor says {size}");
        var total = size ?? length;
        if (total is not null && (wanted.EndExclusive > total || wanted.Start > total))
            throw Lie(response, $"the blob has {total} bytes by Content-Length, less than asked for");
        // The answer to a range that is everything may well be everything.
        var rangeIgnored = wanted.Start > 0 || (wanted.EndExclusive is { } end && end != total);
        return new BlobPart(response, body, 0, total, total, rangeIgnored);
    }

    private static RegistryException NotSatisfiable(HttpResponseMessage message, HopRequest hop, long? size)
    {
        var there = message.Content.Headers.ContentRange?.Length is { } length ? $"the blob there has {length} bytes" : "the host does not say how long the blob is";
        var expected = size is null ? "no descriptor says otherwise" : $"its descriptor says {size}";
        return hop.Subject.Error(
            RegistryFailure.RangeNotSatisfiable, hop.Host, $"416 Range Not Satisfiable: {there}, {expected}", message.StatusCode);
    }

    private static RegistryException Lie(RegistryResponse response, string cause) =>
        response.Hop.Subject.Error(RegistryFailure.Protocol, response.Hop.Host, cause, response.Message.StatusCode);
}
