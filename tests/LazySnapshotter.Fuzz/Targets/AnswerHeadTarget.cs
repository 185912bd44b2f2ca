using System.Net;
using System.Text;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Fuzz.Targets;

// Headers of a registry's answer, one a line, and everything that is read from them: Content-Range, Content-Encoding,
// Retry-After, Link, Location and until when a signed URL can be used.
internal sealed class AnswerHeadTarget : FuzzTarget
{
    private static readonly HopRequest _hop = new(new Uri("https://registry.example/v2/x/tags/list?n=1"), RequestSubject.Tags("x"));
    private static readonly DateTimeOffset _now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    public override string Name => "answer-head";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        "Content-Range: bytes 0-99/1000\nContent-Encoding: gzip, identity",
        "Content-Range: Bytes=5 - 9\nRetry-After: 120\nDate: Tue, 14 Nov 2023 22:13:20 GMT",
        "Retry-After: Tue, 14 Nov 2023 22:14:20 GMT",
        "Link: </v2/x/tags/list?last=a&n=1>; rel=\"next\", <https://registry.example/v2/>; rel=first",
        "Location: https://bucket.example/blob?X-Amz-Date=20231114T221320Z&X-Amz-Expires=600&X-Amz-Signature=abc",
        "Location: /v2/x/blobs/uploads/1?Expires=1700000600&se=2023-11-14T23:00:00Z");

    public override IReadOnlyList<string> Words { get; } =
    [
        "Content-Range: ", "Content-Encoding: ", "Retry-After: ", "Link: ", "Location: ", "Date: ", "X-Goog-Date=", "X-Goog-Expires=",
        "Expires=", "&se=", "rel=next",
        "99991231T235959Z", "9999-12-31T23:59:59Z", "199999999999", "9223372036854775807", "xn--", "://", "//", "http://registry.example",
        "https://registry.example", "[::1]", "aws-chunked",
    ];

    public override int LengthMax => 2048;

    public override bool IsRefusal(Exception exception) => exception is RegistryException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TemporaryRedirect) { Content = new ByteArrayContent([]) };
        foreach (var line in Encoding.Latin1.GetString(input).Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && !response.Headers.TryAddWithoutValidation(line[..colon], line[(colon + 1)..].Trim()))
                response.Content.Headers.TryAddWithoutValidation(line[..colon], line[(colon + 1)..].Trim());
        }

        if (ContentRange.Of(response) is { } range && (range.Start < 0 || range.Length <= 0 || range.Total < 0))
            throw new InvalidOperationException($"a range that is none: {range}");
        if (RetryAfter.Of(response.Headers, _now) is { } wait && wait <= TimeSpan.Zero)
            throw new InvalidOperationException($"a wait that is none: {wait}");
        _ = ContentCoding.Of(response)?.CanUndo;
        if (PageLinks.Next(response.Headers, _hop) is { } page && !RedirectPolicy.IsSameOrigin(_hop.Uri, page))
            throw new InvalidOperationException($"a next page at another host: {page}");
        if (!response.Headers.Contains("Location"))
            return;
        CheckUploadPlace(response);
        var redirects = 0;
        var next = RedirectPolicy.Follow(_hop, response, _hop.Uri, ref redirects);
        _ = (next.Host, next.DisplayUrl);
        var expiry = UrlExpiry.Of(next.Uri, _now);
        if (expiry <= _now || expiry > _now.AddDays(1))
            throw new InvalidOperationException($"a URL of now that can be used until {expiry}");
    }

    // Where the answer says, or where the request went.
    private static void CheckUploadPlace(HttpResponseMessage response)
    {
        Uri place;
        try
        {
            place = RedirectPolicy.UploadPlace(_hop, response);
        }
        catch (RegistryException)
        {
            return;
        }

        if (!RedirectPolicy.IsSameOrigin(_hop.Uri, place)
            && !RedirectPolicy.IsSameOrigin(new Uri(_hop.Uri, response.Headers.Location!), place))
            throw new InvalidOperationException($"a place for an upload that is not where the answer says: {place}");
    }
}
