using System.Net;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Requests;

namespace LazySnapshotter.Registry.Blobs;

// One response with bytes of a blob, after its head was checked against what was asked: which byte its body begins with
// and which it promises to end with. It may begin before the wanted byte (a host that ignores Range begins at 0) and
// may end before the wanted end (RFC 9110 section 15.3.7 lets a host send less); it never begins elsewhere unnoticed.
//
// Of a body that is said to be encoded the length tells whether it is: one as long as the blob is the blob. Another length
// means that it is to be undone; without a length, without a size to compare it with, or where the two may be equal by chance,
// the digest has to tell (CodingProbe).
// A part of such a body is a part of the blob only where its Content-Range names the blob's size.
internal sealed class BlobPart : IDisposable
{
    // A few hundred bytes may be as long compressed as they were; of more than this nobody will see it.
    private const long ChanceBytesMax = 64 << 10;

    private readonly RegistryResponse _response;

    private BlobPart(
        RegistryResponse response, Stream body, long start, long? endExclusive, long? totalSize, bool isPartial, bool rangeIgnored)
    {
        _response = response;
        Body = body;
        Start = start;
        EndExclusive = endExclusive;
        TotalSize = totalSize;
        IsPartial = isPartial;
        RangeIgnored = rangeIgnored;
    }

    public Stream Body { get; }

    public string Host => _response.Hop.Host;

    public long Start { get; }

    /// <summary>Null where the host does not say.</summary>
    public long? EndExclusive { get; }

    /// <summary>Of the blob; null where neither host nor descriptor says.</summary>
    public long? TotalSize { get; }

    /// <summary>A range was asked for and this is one.</summary>
    public bool IsPartial { get; }

    public bool RangeIgnored { get; }

    /// <summary>The coding that the body may have or not; then its bytes are of no use but for finding out.</summary>
    public ContentCoding? DoubtfulCoding { get; private init; }

    public RegistryResponse Response => _response;

    /// <summary>Takes the response over; disposes of it if it is not what was asked for.</summary>
    /// <exception cref="RegistryException">The response is an error, or contradicts the request or the descriptor.</exception>
    public static async Task<BlobPart> OpenAsync(
        RegistryResponse response, BlobQuestion asked, RegistryOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var (message, hop) = (response.Message, response.Hop);
            if (message.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                throw NotSatisfiable(message, hop, asked);
            if (!message.IsSuccessStatusCode)
                throw await RefusalAsync(response, asked, options, cancellationToken);
            var body = await message.Content.ReadAsStreamAsync(cancellationToken);
            return message.StatusCode switch
            {
                // To a request for everything, without saying what part of it: all of it, as far as its length does not contradict.
                HttpStatusCode.PartialContent when asked.Range is null && ContentRange.Of(message) is null => Whole(response, body, asked),
                HttpStatusCode.PartialContent => Partial(response, body, asked),
                // What it holds counts, and some say so with the wrong status.
                HttpStatusCode.OK when SaysItIsPart(message, asked) => Partial(response, body, asked),
                HttpStatusCode.OK => Whole(response, body, asked),
                var other => throw Lie(response, asked, $"{(int)other} where 200 or 206 belongs"),
            };
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Body.Dispose();
        _response.Dispose();
    }

    private static BlobPart Partial(RegistryResponse response, Stream body, BlobQuestion asked)
    {
        var (wanted, size) = (asked.Range ?? new ByteRange(0, null), asked.Size);
        var headers = response.Message.Content.Headers;
        if (headers.ContentType?.MediaType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true)
            throw Lie(response, asked, $"{headers.ContentType.MediaType} where a single range was asked for");
        if (ContentRange.Of(response.Message) is not { } range)
            throw Lie(response, asked, "206 without a Content-Range in bytes");
        if (range.Start != wanted.Start)
            throw Lie(response, asked, $"Content-Range begins at byte {range.Start}, asked for byte {wanted.Start}");
        if (wanted.EndExclusive is { } end && range.End >= end)
            throw Lie(response, asked, $"Content-Range ends at byte {range.End}, asked for bytes to {end - 1}");
        // A total that is the part's own length says nothing of the blob.
        if (range.Total is { } total && (size is not null ? total != size && total != range.Length : total <= range.End))
        {
            var descriptor = size is null ? "" : $", its descriptor says {size}";
            throw Lie(response, asked, $"Content-Range says the blob has {total} bytes{descriptor}");
        }

        if (headers.ContentLength is { } length && length != range.Length)
            throw Lie(response, asked, $"Content-Range has {range.Length} bytes, Content-Length {length}");
        if (ContentCoding.Of(response.Message) is { CanUndo: true } && asked.IsCoded != false && (size is null || range.Total != size))
            throw Lie(response, asked, "a range of compressed bytes although identity was asked for");
        return new BlobPart(response, body, range.Start, range.End + 1, size ?? range.Total, isPartial: true, rangeIgnored: false);
    }

    private static BlobPart Whole(RegistryResponse response, Stream body, BlobQuestion asked)
    {
        var (wanted, size, isCoded) = (asked.Wanted, asked.Size, asked.IsCoded);
        var length = response.Message.Content.Headers.ContentLength;
        var coding = ContentCoding.Of(response.Message) is { CanUndo: true } said && isCoded != false ? said : null;
        var isBlob = size > ChanceBytesMax && length == size;
        var isDoubtful = coding is not null && isCoded is null && (size is null || length is null || (length == size && !isBlob));
        if (coding is not null && !isBlob)
        {
            body = isDoubtful ? body : coding.Undo(body);
            length = null;
        }

        if (size is not null && length is not null && length != size)
        {
            var coded = ContentCoding.Of(response.Message) is { } words
                ? $" as compressed with {Redaction.Quote(words.ToString(), response.Hop)}"
                : "";
            throw Lie(response, asked, $"the blob has {length} bytes by Content-Length{coded}, its descriptor says {size}");
        }

        var total = size ?? length;
        if (total is not null && (wanted.EndExclusive > total || wanted.Start > total))
            throw Lie(response, asked, $"the blob has {total} bytes by Content-Length, less than asked for");
        // The answer to a range that is everything may well be everything.
        var rangeIgnored = wanted.Start > 0 || (wanted.EndExclusive is { } end && end != total);
        return new BlobPart(response, body, 0, total, total, isPartial: false, rangeIgnored)
        {
            DoubtfulCoding = isDoubtful ? coding : null,
        };
    }

    private static bool SaysItIsPart(HttpResponseMessage message, BlobQuestion asked) => asked.Range is not null
        && ContentRange.Of(message) is { } range && message.Content.Headers.ContentLength == range.Length && range.Length != asked.Size;

    // Beyond the end by the host's own words: then it is no matter of ranges.
    private static RegistryException NotSatisfiable(HttpResponseMessage message, HopRequest hop, BlobQuestion asked)
    {
        var length = message.Content.Headers.ContentRange?.Length;
        var there = length is not null ? $"the blob there has {length} bytes" : "the host does not say how long the blob is";
        var expected = asked.Size is null ? "no descriptor says otherwise" : $"its descriptor says {asked.Size}";
        var error = hop.Subject.Error(
            RegistryFailure.RangeNotSatisfiable, hop.Host, $"416 Range Not Satisfiable: {there}, {expected}", message.StatusCode);
        error.MayBeTheRange = asked.Range is { } range && (length is null || range.EndExclusive <= length);
        return error;
    }

    private static async Task<RegistryException> RefusalAsync(
        RegistryResponse response, BlobQuestion asked, RegistryOptions options, CancellationToken cancellationToken)
    {
        var error = await ResponseCheck.ErrorAsync(response.Message, response.Hop, options, cancellationToken);
        error.MayBeTheRange = asked.Range is not null && response.Message.StatusCode is
            HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotAcceptable
            or HttpStatusCode.PreconditionFailed or HttpStatusCode.ExpectationFailed or HttpStatusCode.UnprocessableContent
            or HttpStatusCode.NotImplemented;
        return error;
    }

    private static RegistryException Lie(RegistryResponse response, BlobQuestion asked, string cause)
    {
        var error = response.Hop.Subject.Error(RegistryFailure.Protocol, response.Hop.Host, cause, response.Message.StatusCode);
        error.MayBeTheRange = asked.Range is not null;
        return error;
    }
}
